// Package account opens the AWS account and Region of a user pool for a command.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

var poolID = regexp.MustCompile(`^[a-z0-9-]+_[A-Za-z0-9]+$`)

// CheckPool returns an error if id is not the id of a user pool.
func CheckPool(id string) error {
	const hint = "Set --pool, or USER_POOL_ID with make, for example us-east-1_ExaMPle01"
	if id == "" {
		return errors.New("--pool is missing. " + hint)
	}
	if !poolID.MatchString(id) {
		return fmt.Errorf("--pool %q is not the id of a user pool. %s", id, hint)
	}
	return nil
}

// Region returns the Region to work in: the flag, else AWS_REGION, else the Region in the pool's id. A replica of a multi-Region
// pool has the id of its primary, and triggers that belong to the replica alone.
func Region(flag, pool string) string {
	return cmp.Or(flag, os.Getenv("AWS_REGION"), PoolRegion(pool))
}

// PoolRegion returns the Region in a pool's id: where the pool was created.
func PoolRegion(pool string) string {
	region, _, _ := strings.Cut(pool, "_")
	return region
}

// UseProfile makes all AWS clients of this process use a profile. As in the AWS CLI, credentials in the environment give way.
func UseProfile(name string) error {
	for _, variable := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if err := os.Unsetenv(variable); err != nil {
			return err
		}
	}
	return os.Setenv("AWS_PROFILE", name)
}

// Config returns the AWS configuration for a Region. It has credentials; the first call shows whether AWS accepts them.
func Config(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}))
	if err != nil {
		return cfg, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, errors.New("no AWS credentials, or they have expired. Run aws sso login or aws configure, and name the profile with --profile or AWS_PROFILE")
	}
	return cfg, nil
}
