package main

// scenes is the table. A fault alone meets a few people one after the other; a stream
// is many at once, in which the fault comes and goes twice.
func scenes() []scene {
	parked := []string{"parked", "replayed"}
	var all []scene
	one := func(name string, t trouble) {
		all = append(all, scene{name: name, play: alone(t), want: parked})
	}
	many := func(name string, t trouble) {
		all = append(all, scene{name: "stream: " + name, play: stream(t, 4), want: []string{"synced"}})
	}

	down := at(theHasura, status(503, canary))
	one("Hasura refuses the connection", refusing(theHasura))
	one("Hasura hangs after accept", at(theHasura, hang))
	one("Hasura hangs after headers", at(theHasura, hangAfterHeaders))
	one("Hasura sends half a body, then resets", at(theHasura, halfABody))
	one("Hasura answers 500", at(theHasura, status(500, canary)))
	one("Hasura answers 502 in HTML", at(theHasura, status(502, "<html>"+canary+"</html>")))
	one("Hasura answers 503", down)
	one("Hasura answers 504", at(theHasura, status(504, canary)))
	one("Hasura answers 429", at(theHasura, status(429, canary)))
	for _, code := range []string{"access-denied", "invalid-headers", "validation-failed", "constraint-violation", "permission-error",
		"data-exception", "parse-failed", "invalid-json", "constraint-error", "postgres-error", "postgres-max-connections-error"} {
		one("Hasura answers "+code, at(theHasura, hasuraError(code, "")))
	}
	one("Hasura answers unexpected", at(theHasura, hasuraError("unexpected", "")))
	one("Hasura answers unexpected, a deadlock", at(theHasura, hasuraError("unexpected", "40P01")))
	one("Hasura answers unexpected, P0001", at(theHasura, hasuraError("unexpected", "P0001")))
	one("Hasura answers 404", at(theHasura, status(404, `{"path":"$","error":"resource does not exist","code":"not-found"}`)))
	one("Hasura redirects", at(theHasura, redirect))
	all = append(all,
		scene{name: "Hasura writes the row, but answers too late", play: alone(at(theHasura, tooLate)), want: []string{"parked", "stale"}},
		scene{name: "Hasura presents a bad certificate", play: alone(none), want: parked,
			domain: func(w *world) string { return w.imposter.URL }},
		scene{name: "Hasura's name does not resolve", play: alone(none), want: parked,
			domain: func(*world) string { return "http://hasura.invalid" }},
	)

	one("Secrets Manager refuses the connection", refusing(theSecrets))
	one("Secrets Manager hangs", at(theSecrets, hang))
	one("Secrets Manager throttles", at(theSecrets, awsError(400, "ThrottlingException")))
	one("Secrets Manager answers AccessDenied", at(theSecrets, awsError(400, "AccessDeniedException")))
	one("the secret lacks the key", keyless)

	for _, t := range []struct {
		name string
		trouble
	}{
		{"Hasura and SQS refuse the connection", both(refusing(theHasura), refusing(theSQS))},
		{"Hasura refuses the connection, SQS hangs", both(refusing(theHasura), at(theSQS, hang))},
		{"Hasura and SQS hang", both(at(theHasura, hang), at(theSQS, hang))},
	} {
		all = append(all, scene{name: t.name, play: alone(t.trouble), want: []string{"sync lost"}, lossy: true})
	}
	all = append(all,
		scene{name: "three copies of one event at once", play: copies, want: []string{"synced"}},
		scene{name: "dead letters, redriven when Hasura is mended", play: redriven, want: []string{"parked", "permanent failure", "replayed"}, receives: 3},
		scene{name: "events out of order", play: disorder, want: []string{"parked", "synced", "stale"}},
		scene{name: "the process dies between upsert and answer", play: killed, want: []string{"synced"}, mayFail: 1},
		scene{name: "two answers lost, Cognito calls again", play: stalled, want: []string{"synced"}},
	)

	many("nothing is wrong", none)
	many("Hasura refuses the connection", refusing(theHasura))
	many("Hasura hangs after accept", at(theHasura, hang))
	many("Hasura hangs after headers", at(theHasura, hangAfterHeaders))
	many("Hasura sends half a body, then resets", at(theHasura, halfABody))
	many("Hasura writes, but answers too late", at(theHasura, tooLate))
	all = append(all, scene{name: "stream: Hasura answers 503, replaying", play: replaying(stream(down, 4)), want: []string{"synced", "parked", "replayed"}})
	many("Hasura answers access-denied", at(theHasura, hasuraError("access-denied", "")))
	many("Hasura answers validation-failed", at(theHasura, hasuraError("validation-failed", "")))
	many("Secrets Manager refuses the connection", refusing(theSecrets))
	many("Secrets Manager hangs", at(theSecrets, hang))
	many("the secret rotates", rotation())
	for _, t := range []struct {
		name string
		trouble
	}{
		{"stream: Hasura answers 503, SQS refuses", both(down, refusing(theSQS))},
		{"stream: Hasura and SQS hang", both(at(theHasura, hang), at(theSQS, hang))},
	} {
		all = append(all, scene{name: t.name, play: stream(t.trouble, 1), want: []string{"synced", "sync lost"}, lossy: true})
	}
	return all
}
