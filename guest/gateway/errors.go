package gateway

// problem is an error that is only its sentence; fmt would cost a quarter megabyte of a binary that is copied into every run.
type problem string

func (p problem) Error() string { return string(p) }

func attempt(what string, err error) error {
	return problem("cannot " + what + ": " + err.Error())
}
