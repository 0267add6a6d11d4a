"""Holds what SAM makes of template.yaml to what deploying gradually rests on. .ci/lint runs it with the Python of the SAM CLI."""

import logging
import sys

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.intrinsics.resolver import IntrinsicsResolver
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

NEEDED = {
    "Prefix": "acme",
    "UserPoolId": "us-east-1_ExaMPle01",
    "GraphqlDomain": "hasura.internal",
    "SecretsArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf",
}
logging.disable()  # the transform tells its own switches
CALLED = ["HasuraCognitoTrigger", "HasuraCognitoSyncUsers"]
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(f"{what}: got {got}, want {want}")


def made(code="one", **parameters):
    """The resources that SAM makes of a build with parameters."""
    with open("template.yaml", encoding="utf-8") as file:
        template = yaml_parse(file.read())
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/" + code
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(template, NEEDED | parameters)["Resources"]


def version(resources, function):
    """The name and the properties of a function's version."""
    [name] = [n for n, r in resources.items() if r["Type"] == "AWS::Lambda::Version" and r["Properties"]["FunctionName"] == {"Ref": function}]
    return name, resources[name]["Properties"]


def of_codedeploy(resources):
    return sorted(n for n, r in resources.items() if r["Type"].startswith("AWS::CodeDeploy::"))


def settings(**parameters):
    """What the settings hold with parameters."""
    return IntrinsicsResolver(NEEDED | parameters).resolve_parameter_refs(made()["Settings"]["Properties"]["Content"])


once, gradual = made(), made(DeploymentPreference="Canary10Percent5Minutes")
for function in CALLED:
    alias = gradual[function + "Aliaslive"]
    name, properties = version(gradual, function)
    expect(function + ": another build is the same version", version(made("two"), function)[0] == version(once, function)[0], False)
    expect(function + ": the version's description, which CloudFormation replaces the version for", properties["Description"],
           {"Fn::If": ["IsCalledByAlias", {"Fn::Sub": "settings ${Settings.VersionNumber}"}, {"Ref": "AWS::NoValue"}]})
    expect(function + ": what the alias points at", alias["Properties"]["FunctionVersion"], {"Fn::GetAtt": [name, "Version"]})
    expect(function + ": what moves the alias", alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"], {"Ref": function + "DeploymentGroup"})
    expect(function + ": what moves the alias at once", once[function + "Aliaslive"].get("UpdatePolicy"), None)
    expect(function + ": CodeDeploy's role", gradual[function + "DeploymentGroup"]["Properties"]["ServiceRoleArn"], {"Fn::GetAtt": ["DeploymentRole", "Arn"]})
for parameter in ["Roles", "SyncBudget", "TriggerMemory"]:
    expect("another " + parameter + " is the same settings", settings(**{parameter: "1"}) == settings(**{parameter: "2"}), False)
expect("what there is of CodeDeploy", of_codedeploy(gradual), sorted([f + "DeploymentGroup" for f in CALLED] + ["ServerlessDeploymentApplication"]))
expect("what there is of CodeDeploy with None", of_codedeploy(once), [])
for fault in faults:
    print(fault)
print(f"template.yaml: {'the versions are not' if faults else 'versions, aliases and CodeDeploy are'} as deploying gradually needs them")
sys.exit(bool(faults))
