package cognitoidp

import (
	"maps"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// fixed are the members of a pool that UpdateUserPool cannot change.
var fixed = []string{
	"AliasAttributes", "Arn", "CreationDate", "CustomDomain", "Domain", "EstimatedNumberOfUsers", "Id",
	"LastModifiedDate", "Name",
	"SchemaAttributes", "Status", "UsernameAttributes", "UsernameConfiguration",
}

// settings are the members that it sets, with their defaults; nil means no default.
var settings = Object{
	"AccountRecoverySetting": nil,
	"AdminCreateUserConfig":  Object{"AllowAdminCreateUserOnly": false, "UnusedAccountValidityDays": 7},
	"AutoVerifiedAttributes": nil, "DeletionProtection": "INACTIVE", "DeviceConfiguration": nil,
	"EmailConfiguration":       Object{"EmailSendingAccount": "COGNITO_DEFAULT"},
	"EmailVerificationMessage": nil, "EmailVerificationSubject": nil,
	"IssuerConfiguration": nil, "KeyConfiguration": nil, "LambdaConfig": Object{}, "MfaConfiguration": "OFF",
	"Policies":                 Object{"PasswordPolicy": Object{"MinimumLength": 8, "TemporaryPasswordValidityDays": 7}},
	"SmsAuthenticationMessage": nil, "SmsConfiguration": nil, "SmsVerificationMessage": nil,
	"UserAttributeUpdateSettings": nil, "UserPoolAddOns": nil, "UserPoolTags": nil, "UserPoolTier": "ESSENTIALS",
	"VerificationMessageTemplate": Object{"DefaultEmailOption": "CONFIRM_WITH_CODE"},
}

func (s *Server) update(request Object) *awsjson.Error {
	updated := Object{}
	for _, name := range fixed {
		if value, ok := s.Pool[name]; ok {
			updated[name] = value
		}
	}
	for name, value := range settings {
		if value != nil {
			updated[name] = value
		}
	}
	for name, value := range request {
		switch _, known := settings[name]; {
		case name == "UserPoolId":
		case name == "PoolName":
			updated["Name"] = value
		case !known:
			return awsjson.Errorf("SerializationException", "unknown member %s", name)
		default:
			updated[name] = value
		}
	}
	if refused := s.days(request, updated); refused != nil {
		return refused
	}
	if refused := preTokenGeneration(updated); refused != nil {
		return refused
	}
	if updated["MfaConfiguration"] == "OFF" {
		s.MFA = Object{"MfaConfiguration": "OFF"}
	}
	s.Pool = updated
	return nil
}

// days handles the one setting that has two names. A request may not have both, and the
// older one has the same value in responses.
func (s *Server) days(request, updated Object) *awsjson.Error {
	days := member(member(updated, "Policies"), "PasswordPolicy")["TemporaryPasswordValidityDays"]
	if days == nil {
		return nil
	}
	if member(request, "AdminCreateUserConfig")["UnusedAccountValidityDays"] != nil {
		return awsjson.Errorf("InvalidParameterException", "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays")
	}
	config := maps.Clone(member(updated, "AdminCreateUserConfig"))
	config["UnusedAccountValidityDays"] = days
	updated["AdminCreateUserConfig"] = config
	return nil
}

// preTokenGeneration does the same for the two keys of this trigger.
func preTokenGeneration(updated Object) *awsjson.Error {
	triggers := maps.Clone(member(updated, "LambdaConfig"))
	older, newer := triggers["PreTokenGeneration"], member(triggers, "PreTokenGenerationConfig")["LambdaArn"]
	switch {
	case older != nil && newer != nil && older != newer:
		return awsjson.Errorf("InvalidParameterException", "PreTokenGeneration and PreTokenGenerationConfig name different functions")
	case newer != nil:
		triggers["PreTokenGeneration"] = newer
	case older != nil:
		triggers["PreTokenGenerationConfig"] = Object{"LambdaArn": older, "LambdaVersion": "V1_0"}
	}
	updated["LambdaConfig"] = triggers
	return nil
}

func member(o Object, name string) Object {
	value, _ := o[name].(Object)
	return value
}
