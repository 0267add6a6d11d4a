package doctor

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
	"github.com/phenom-earth/hasura-cognito/functions"
)

const attachHint = "run hasura-cognito attach --pool %s --prefix … --region %s"

// triggers checks the pool's triggers. It returns the ARNs of the claims function and the sync function, "" for a missing one.
func (d *doctor) triggers() (claims, sync string) {
	t := d.pool.LambdaConfig
	if t == nil {
		t = new(cognito.LambdaConfigType)
	}
	claims = aws.ToString(t.PreTokenGeneration)
	d.version = cognito.PreTokenGenerationLambdaVersionTypeV10
	if c := t.PreTokenGenerationConfig; c != nil {
		claims, d.version = aws.ToString(c.LambdaArn), c.LambdaVersion
	}
	claims = d.trigger("pre token generation", claims, functions.Claims)
	switch {
	case claims == "":
	case d.version == cognito.PreTokenGenerationLambdaVersionTypeV10:
		d.report.add("trigger version", Warn, "V1_0: ID tokens have claims, access tokens have none",
			"send ID tokens to Hasura. Or, on the Essentials or Plus plan, "+d.attachHint()+" --version V2_0")
	default:
		d.report.ok("trigger version", string(d.version))
	}
	confirmation := d.trigger("post confirmation", aws.ToString(t.PostConfirmation), functions.Sync)
	sync = d.trigger("post authentication", aws.ToString(t.PostAuthentication), functions.Sync)
	if confirmation != "" && sync != "" && confirmation != sync {
		d.report.add("one sync function", Fail, "post confirmation and post authentication call different functions", d.attachHint())
	}
	if sync == "" {
		sync = confirmation
	}
	return claims, sync
}

// trigger checks one trigger and returns the ARN of its function, "" if that is not one of the suite.
func (d *doctor) trigger(check, arn, name string) string {
	function, _ := policy.Split(arn)
	switch {
	case arn == "":
		d.report.add(check, Fail, "the trigger has no function", d.attachHint())
	case !strings.HasSuffix(function, name):
		d.report.add(check, Fail, arn+" is not "+name, "call the other function from your own, or "+d.attachHint()+" --replace")
		return ""
	default:
		d.report.ok(check, arn)
	}
	return arn
}

func (d *doctor) attachHint() string { return fmt.Sprintf(attachHint, d.Pool, d.region) }
