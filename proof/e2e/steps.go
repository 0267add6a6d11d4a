package main

import "time"

func (m *machine) steps() []step {
	return []step{
		{name: "PostgreSQL starts", do: m.startPostgres},
		{name: "moto starts", do: m.startMoto},
		{name: "MiniStack starts", do: m.startMiniStack},

		{name: "sam validate --lint", do: m.validate},
		{name: "sam build for " + other[architecture], do: m.build(other[architecture])},
		{name: "sam build for " + architecture, do: m.build(architecture)}, // the one that runs below
		{name: "Docker starts, and runs a container", kind: docker, do: m.openYard},
		{name: "every recorded event in sam local start-lambda", kind: docker, do: m.events},
		{name: "make invoke, which is sam local invoke", kind: docker, do: m.invoke},

		{name: "sam deploy for a pool with V1_0", do: m.deployV1},
		{name: "V1_0: sign up, in, refresh; groups in and out", do: m.signInV1},
		{name: "sam deploy for a pool with V2_0", do: m.deployV2},
		{name: "V2_0: sign up, in, refresh; groups in and out", do: m.signInV2},
		{name: "V2_0: Hasura is down, and back", do: m.parked},
		{name: "the doctor, of that stack", do: m.doctor},
		{name: "sam deploy with CreateUserPool=true", do: m.deployOwn},
		{name: "its own pool: the same", do: m.signInOwn},
		{name: "attach, to a pool full of settings in moto", do: m.attachTo},

		{name: "cognito-local starts", do: m.startSite},
		{name: "Jane signs up, in, in again, and refreshes", do: m.janeSignsUpAndIn},
		{name: "the secret is rotated", do: m.secretRotates},
		{name: "Jane changes her name", do: m.janeChanges},
		{name: "Jane forgets her password", do: m.janeForgets},
		{name: "Adam is created by an administrator", do: m.adamIsMade},
		{name: "the functions' log", do: m.quiet},

		{name: "the local Hasura's answers on PostgreSQL", limit: 10 * time.Minute, do: m.fidelity},
		{name: "the same, as make e2e-hasura asks the real one", limit: 10 * time.Minute, do: m.byAddress},

		{name: "broken: a misconfigured function in a container", kind: docker, do: m.invokeFails},
		{name: "broken: claims without a default role", do: m.noDefaultRole},
		{name: "broken: a V1 answer for a V2_0 pool", do: m.wrongShape},
		{name: "broken: the same, looked at by the doctor", do: m.doctorFindsOut},
		{name: "broken: update_columns with an absent column", do: m.absentColumn},
	}
}

// other is the architecture that is not this machine's.
var other = map[string]string{"x86_64": "arm64", "arm64": "x86_64"}
