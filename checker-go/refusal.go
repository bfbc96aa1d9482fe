package main

import "fmt"

// What ends the judging of a certificate: a reason why it is refused, or the name of what this
// judge does not know. Both are raised where they are found and caught once, in judge.
type (
	refusal    string
	notForHere string
)

func refuse(format string, values ...any) { panic(refusal(fmt.Sprintf(format, values...))) }

func leave(format string, values ...any) { panic(notForHere(fmt.Sprintf(format, values...))) }
