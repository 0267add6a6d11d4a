package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// A pool is a user pool in MiniStack with the deployed functions attached.
type pool struct {
	version       string // of the trigger, such as V2_0
	id, client    string
	cognito       *idp.Client
	hasura        *graphQL
	trigger, sync string // the functions' names
	queue         string // URL of the parked syncs'
	byEmail       bool   // people's user names are their addresses
	people        int    // that have signed up
}

// complex reports whether the trigger may put claims into the access token.
func (p *pool) complex() bool { return p.version != "V1_0" }

// deployV1 and deployV2 deploy template.yaml for a new pool and attach the functions;
// deployOwn has the stack make its pool itself, with the functions on it.

func (m *machine) deployV1(ctx context.Context) (note string, err error) {
	m.v1, err = m.deployFor(ctx, "V1_0")
	return "", err
}

func (m *machine) deployV2(ctx context.Context) (note string, err error) {
	m.v2, err = m.deployFor(ctx, "V2_0")
	return "", err
}

func (m *machine) deployOwn(ctx context.Context) (note string, err error) {
	p, outputs, err := m.deployPool(ctx, "acme-own", "V2_0", "CreateUserPool=true")
	if err != nil {
		return "", err
	}
	m.own = p
	p.id, p.client, p.byEmail = outputs["UserPoolId"], outputs["UserPoolClientId"], true
	if p.id == "" || p.client == "" {
		return "", fmt.Errorf("the stack's outputs are %q, want UserPoolId and UserPoolClientId among them", outputs)
	}
	return "", m.open(ctx, p)
}

func (m *machine) deployFor(ctx context.Context, version string) (*pool, error) {
	name := "acme-" + strings.ToLower(strings.TrimSuffix(version, "_0"))
	cognito := cognitoAt(m.ministack)
	made, err := cognito.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: &name})
	if err != nil {
		return nil, err
	}
	p, outputs, err := m.deployPool(ctx, name, version, "UserPoolId="+aws.ToString(made.UserPool.Id))
	if err != nil {
		return nil, err
	}
	p.id = aws.ToString(made.UserPool.Id)
	if err := p.attach(ctx, outputs["LambdaConfig"]); err != nil {
		return nil, err
	}
	return p, m.open(ctx, p)
}

// deployPool deploys a stack with the secret and the Hasura that its functions find.
func (m *machine) deployPool(ctx context.Context, name, version, parameter string) (*pool, map[string]string, error) {
	p := &pool{version: version, cognito: cognitoAt(m.ministack), trigger: name + "-hasura-cognito-trigger", sync: name + "-hasura-cognito-sync-users"}
	var err error
	if p.hasura, err = m.startHasura(ctx, name, nil); err != nil {
		return nil, nil, err
	}
	arn, err := createSecret(ctx, m.ministack, name+"/app", p.hasura.admin)
	if err != nil {
		return nil, nil, err
	}
	outputs, err := m.deploy(ctx, name, parameter, "Prefix="+name, "LambdaVersion="+version, "GraphqlDomain="+p.hasura.url, "SecretsArn="+arn,
		"Architecture="+architecture, "Monitoring=false")
	p.queue = outputs["ParkedSyncsUrl"]
	return p, outputs, err
}

// open makes a group of the pool, and has Hasura take its tokens.
func (m *machine) open(ctx context.Context, p *pool) error {
	if _, err := p.cognito.CreateGroup(ctx, &idp.CreateGroupInput{UserPoolId: &p.id, GroupName: aws.String("editor")}); err != nil {
		return err
	}
	return p.hasura.trust("https://cognito-idp."+region+".amazonaws.com/"+p.id, m.ministack+"/"+p.id+"/.well-known/jwks.json")
}

// attach gives the pool the LambdaConfig that the stack's output asks for, and an app client.
func (p *pool) attach(ctx context.Context, output string) error {
	var config types.LambdaConfigType
	if err := json.Unmarshal([]byte(output), &config); err != nil || config.PreTokenGenerationConfig == nil {
		return fmt.Errorf("the stack's output LambdaConfig is %q, want the JSON that a pool takes", output)
	}
	if !p.complex() {
		// MiniStack takes any PreTokenGenerationConfig for V2_0; this is the older way to say V1_0.
		config.PreTokenGeneration, config.PreTokenGenerationConfig = config.PreTokenGenerationConfig.LambdaArn, nil
	}
	if _, err := p.cognito.UpdateUserPool(ctx, &idp.UpdateUserPoolInput{UserPoolId: &p.id, LambdaConfig: &config}); err != nil {
		return err
	}
	client, err := p.cognito.CreateUserPoolClient(ctx, &idp.CreateUserPoolClientInput{UserPoolId: &p.id, ClientName: aws.String("app"),
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{types.ExplicitAuthFlowsTypeAllowUserPasswordAuth, types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth}})
	if err != nil {
		return err
	}
	p.client = aws.ToString(client.UserPoolClient.ClientId)
	return nil
}
