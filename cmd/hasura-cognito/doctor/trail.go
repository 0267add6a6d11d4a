package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// cognitoSource is the eventSource of CloudTrail's records about user pools.
const cognitoSource = "cognito-idp.amazonaws.com"

// trail looks for a trail that logs write management events in this Region. Without one, EventBridge gets no records.
func (d *doctor) trail(ctx context.Context) {
	const check = "trail"
	out, err := d.cloudtrail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		d.unread(check, Unknown, err, "cloudtrail:DescribeTrails")
		return
	}
	var found []string
	var unread error
	for _, trail := range out.TrailList {
		why, err := d.trailFault(ctx, trail)
		switch {
		case err != nil:
			unread = err
		case why == "":
			d.report.ok(check, aws.ToString(trail.Name)+" logs write management events")
			return
		default:
			found = append(found, aws.ToString(trail.Name)+" "+why)
		}
	}
	if unread != nil {
		d.unread(check, Unknown, unread, "cloudtrail:GetTrailStatus and cloudtrail:GetEventSelectors")
		return
	}
	if len(found) == 0 {
		found = []string{"there is no trail in " + d.region}
	}
	d.report.add(check, Fail, strings.Join(found, ", ")+": EventBridge gets no record of Cognito",
		"create a trail that logs write management events in "+d.region+", or start it: docs/deploy.md#follow")
}

// trailFault says why a trail gives EventBridge no records of Cognito. It is "" if the trail does. A multi-Region trail, and one of the
// organization, can be asked in its home Region alone.
func (d *doctor) trailFault(ctx context.Context, trail types.Trail) (string, error) {
	home := func(o *cloudtrail.Options) {
		if trail.HomeRegion != nil {
			o.Region = *trail.HomeRegion
		}
	}
	status, err := d.cloudtrail.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: trail.TrailARN}, home)
	if err != nil {
		return "", err
	}
	if !aws.ToBool(status.IsLogging) {
		return "is stopped", nil
	}
	out, err := d.cloudtrail.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: trail.TrailARN}, home)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(out.EventSelectors, selects) || slices.ContainsFunc(out.AdvancedEventSelectors, selectsAdvanced) {
		return "", nil
	}
	return "does not log write management events of Cognito", nil
}

func selects(s types.EventSelector) bool {
	return aws.ToBool(s.IncludeManagementEvents) && s.ReadWriteType != types.ReadWriteTypeReadOnly &&
		!slices.Contains(s.ExcludeManagementEventSources, cognitoSource)
}

// selectsAdvanced ignores fields that depend on the call, such as eventName: a selector with one logs some of the calls.
func selectsAdvanced(s types.AdvancedEventSelector) bool {
	want := map[string]string{"eventCategory": "Management", "readOnly": "false", "eventSource": cognitoSource}
	management := false
	for _, f := range s.FieldSelectors {
		field := aws.ToString(f.Field)
		value, known := want[field]
		if known && !fits(f, value) {
			return false
		}
		management = management || field == "eventCategory"
	}
	return management
}

// fits reports whether a field selector lets a value pass. All its operators must.
func fits(f types.AdvancedFieldSelector, value string) bool {
	some := func(list []string, is func(value, item string) bool) bool {
		return slices.ContainsFunc(list, func(item string) bool { return is(value, item) })
	}
	equal := func(a, b string) bool { return a == b }
	return (f.Equals == nil || some(f.Equals, equal)) && !some(f.NotEquals, equal) &&
		(f.StartsWith == nil || some(f.StartsWith, strings.HasPrefix)) && !some(f.NotStartsWith, strings.HasPrefix) &&
		(f.EndsWith == nil || some(f.EndsWith, strings.HasSuffix)) && !some(f.NotEndsWith, strings.HasSuffix)
}
