package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

// Go speaks HTTP/2 wherever it is offered.
func main() {
	request, _ := http.NewRequest("GET", "https://api.example.test/go", nil)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("API_KEY"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println("go:", err)
		os.Exit(1)
	}
	body, _ := io.ReadAll(response.Body)
	fmt.Printf("go: %s over %d\n", body, response.ProtoMajor)
}
