"""Checks versions, aliases and CodeDeploy in what SAM makes of template.yaml. .ci/lint runs it with the Python of the SAM CLI."""

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
logging.disable()  # the transform logs its feature toggles
CALLED = {"HasuraCognitoTrigger": "Trigger", "HasuraCognitoSyncUsers": "Sync"}  # with what begins the names of their alarms
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(f"{what}: got {got}, want {want}")


def made(code="one", **parameters):
    """Returns the resources that SAM makes for a build with these parameters."""
    with open("template.yaml", encoding="utf-8") as file:
        template = yaml_parse(file.read())
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/" + code
    session = boto3.Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(template, NEEDED | parameters)["Resources"]


def version(resources, function):
    """Returns the name and the properties of the version of a function."""
    [name] = [n for n, r in resources.items()
              if r["Type"] == "AWS::Lambda::Version" and r["Properties"]["FunctionName"] == {"Ref": function}]
    return name, resources[name]["Properties"]


def of_codedeploy(resources):
    return sorted(n for n, r in resources.items() if r["Type"].startswith("AWS::CodeDeploy::"))


def settings(**parameters):
    """Returns the content of Settings with these parameters."""
    return IntrinsicsResolver(NEEDED | parameters).resolve_parameter_refs(made()["Settings"]["Properties"]["Content"])


once, gradual = made(), made(DeploymentPreference="Canary10Percent5Minutes")
for function, alarm in CALLED.items():
    alias = gradual[function + "Aliaslive"]
    group = gradual[function + "DeploymentGroup"]["Properties"]
    name, properties = version(gradual, function)
    expect(function + ": another build has the same version", version(made("two"), function)[0] == version(once, function)[0], False)
    expect(function + ": description of the version", properties["Description"],
           {"Fn::If": ["IsCalledByAlias", {"Fn::Sub": "settings ${Settings.VersionNumber}"}, {"Ref": "AWS::NoValue"}]})
    expect(function + ": version of the alias", alias["Properties"]["FunctionVersion"], {"Fn::GetAtt": [name, "Version"]})
    expect(function + ": deployment group of the alias", alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"],
           {"Ref": function + "DeploymentGroup"})
    expect(function + ": update policy of the alias with None", once[function + "Aliaslive"].get("UpdatePolicy"), None)
    expect(function + ": role of CodeDeploy", group["ServiceRoleArn"], {"Fn::GetAtt": ["DeploymentRole", "Arn"]})
    own, *others = [{"Name": {"Ref": a}} for a in (alarm + "VersionErrorsAlarm", "FaultsAlarm", "MisconfiguredAlarm")]
    expect(function + ": alarms that move the alias back", group["AlarmConfiguration"],
           {"Fn::If": ["HasMonitoring", {"Enabled": True, "Alarms": [own, *others]}, {"Enabled": True, "Alarms": [own]}]})
for parameter in ["Roles", "SyncBudget", "GraphqlCa", "TriggerMemory"]:
    expect("another " + parameter + " gives the same Settings", settings(**{parameter: "1"}) == settings(**{parameter: "2"}), False)
expect("resources of CodeDeploy", of_codedeploy(gradual), sorted(["ServerlessDeploymentApplication", *(f + "DeploymentGroup" for f in CALLED)]))
expect("resources of CodeDeploy with None", of_codedeploy(once), [])
for fault in faults:
    print(fault)
print(f"template.yaml: versions, aliases and CodeDeploy have {len(faults)} faults")
sys.exit(bool(faults))
