// Package account opens the AWS account that a user pool is in, for a person at a
// terminal: what is wrong is said before anything is asked of AWS, in a sentence, and
// with what to do about it.
package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// CheckPool returns an error for what is not the id of a user pool.
func CheckPool(id string) error {
	if region, rest, ok := strings.Cut(id, "_"); !ok || region == "" || rest == "" {
		return fmt.Errorf("USER_POOL_ID %q is not the id of a user pool, such as us-east-1_ExaMPle01", id)
	}
	return nil
}

// Of returns the configuration for the region of a pool, with credentials that are
// there. Whether they are right, the first call says.
func Of(ctx context.Context, pool string) (aws.Config, error) {
	region, _, _ := strings.Cut(pool, "_")
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}))
	if err != nil {
		return cfg, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, errors.New("there are no AWS credentials, or they have run out: run aws sso login or aws configure, and set AWS_PROFILE if it is not the default one")
	}
	return cfg, nil
}
