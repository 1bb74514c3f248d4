package gateway

// problem is an error that is only its sentence.
type problem string

func (p problem) Error() string { return string(p) }

// attempt says what failed and why.
func attempt(what string, err error) error {
	return problem("cannot " + what + ": " + err.Error())
}
