package doctor

import (
	"slices"
	"strings"
	"testing"
)

// Reports of users of other software, tried on this one.

// unique adds a unique constraint on a column to the schema.
func unique(column string) *strings.Replacer {
	return strings.NewReplacer("enum "+upsert.Constraints+" {", "enum "+upsert.Constraints+" {\n  \"\"\"\n  unique or primary key constraint on columns \""+column+"\"\n  \"\"\"\n  users_"+column+"_key\n")
}

// Hasura behind a path: hasura/graphql-engine#2983, #6780, #8949.
func TestHasuraUnderAPath(t *testing.T) {
	rows := []struct {
		path         string // in GRAPHQL_DOMAIN
		health, next Verdict
		hint         string // of the row about the table
	}{
		{"/hasura/v1/graphql", OK, OK, ""},
		{"/hasura/v1/graphql/", OK, OK, ""},
		{"/hasura", Unknown, Fail, "/hasura/v1/graphql"},
	}
	for _, row := range rows {
		d := healthy()
		d.proxy, d.path = under("/hasura"), row.path
		report, text := d.examine(t)
		health, table := report.of("Hasura"), report.of("users table")
		if len(health) != 1 || health[0].Verdict != row.health || len(table) != 1 || table[0].Verdict != row.next || !strings.Contains(table[0].Hint, row.hint) {
			t.Errorf("%s: Hasura %+v, table %+v, want %s, %s\n%s", row.path, health, table, row.health, row.next, text)
		}
		if jwt := report.of("Hasura's JWT settings"); row.next == OK && (len(jwt) != 1 || jwt[0].Verdict != OK) {
			t.Errorf("%s: JWT settings %+v\n%s", row.path, jwt, text)
		}
	}
}

// A replica of a multi-Region pool has the id of the primary pool, but its triggers are set separately.
func TestReplica(t *testing.T) {
	d := healthy()
	d.region = "us-west-2"
	report, text := d.examine(t)
	if regions := d.Regions(); !slices.Contains(regions, "us-west-2") || slices.ContainsFunc(regions, func(r string) bool { return r != "us-west-2" && r != "us-east-1" }) {
		t.Errorf("requests were signed for %v", regions)
	}
	if pool := report.of("pool"); len(pool) != 1 || pool[0].Found != "people, in us-west-2, a replica of the pool in us-east-1" {
		t.Errorf("pool is %+v\n%s", pool, text)
	}
}

// A unique address refuses the second account of a user: newtheatre/rooms#31.
func TestUniqueEmail(t *testing.T) {
	d := healthy()
	d.schema = unique("email")
	report, text := d.examine(t)
	got := report.of("unique constraints")
	if len(got) != 1 || got[0].Verdict != Warn || !strings.Contains(got[0].Found, `users_email_key (unique or primary key constraint on columns "email")`) || !strings.Contains(got[0].Hint, "constraint-violation") {
		t.Errorf("got %+v\n%s", got, text)
	}
}

func TestChinaAndGovCloud(t *testing.T) {
	for _, row := range []struct{ region, partition, issuer string }{
		{"cn-north-1", "aws-cn", "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_ExaMPle01"},
		{"us-gov-west-1", "aws-us-gov", "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_ExaMPle01"},
	} {
		there := strings.NewReplacer("us-east-1", row.region, "arn:aws:", "arn:"+row.partition+":").Replace
		d := healthy()
		d.region, d.options.Pool, d.options.Token = row.region, there(poolID), "a.b.c"
		d.Cognito.Pool["Id"], d.Cognito.Pool["Arn"] = there(poolID), there(poolARN)
		d.Cognito.Pool["LambdaConfig"] = object{"PreTokenGenerationConfig": object{"LambdaArn": there(claims), "LambdaVersion": "V2_0"}, "PostConfirmation": there(syncFunction), "PostAuthentication": there(syncFunction)}
		d.env = map[string]map[string]string{there(claims): d.env[claims], there(syncFunction): d.env[syncFunction], there(replay): d.env[replay]}
		d.env[syncFunction], d.env[replay] = d.env[there(syncFunction)], d.env[there(replay)] // examine completes these settings
		d.Policies = map[string]string{there(syncFunction): there(d.Policies[syncFunction])}
		report, text := d.examine(t)
		if got := report.of("Hasura accepts a token"); len(got) != 1 || !strings.Contains(got[0].Hint, row.issuer+".") {
			t.Errorf("%s: token %+v, want the issuer %s\n%s", row.region, got, row.issuer, text)
		}
		if got := report.of("sync function: permission"); len(got) != 1 || got[0].Verdict != OK {
			t.Errorf("%s: permission %+v\n%s", row.region, got, text)
		}
		if got := report.of("claims function: permission"); len(got) != 1 || !strings.Contains(got[0].Hint, "--region "+row.region+" ") || !strings.Contains(got[0].Hint, there(poolARN)) {
			t.Errorf("%s: permission %+v\n%s", row.region, got, text)
		}
	}
}
