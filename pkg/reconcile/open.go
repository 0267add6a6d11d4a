package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// An Opener opens the connections of a Reconciler when they are first needed, and again
// after a failure. It must not be used by two goroutines at once.
type Opener struct {
	Settings settings.Reconcile
	Hasura   settings.Hasura
	// PerSecond is how many requests per second may be sent to the pool.
	PerSecond float64
	Log       *slog.Logger

	client *hasura.Client
	opened *Reconciler
}

// connectTime bounds the time in which the connections are opened ahead of need.
const connectTime = 5 * time.Second

// Open returns the Reconciler.
func (o *Opener) Open(ctx context.Context) (_ *Reconciler, err error) {
	if o.opened != nil {
		return o.opened, nil
	}
	if o.client == nil {
		limited, cancel := context.WithTimeout(ctx, connectTime) // a health check that hangs stops nothing
		o.client, err = hasura.Connect(limited, o.Hasura, o.Log)
		cancel()
		if err != nil {
			return nil, err
		}
	}
	rows, err := o.client.Rows(ctx, &users.Description)
	if err != nil {
		return nil, err
	}
	p, err := pool.Open(ctx, o.Settings.UserPoolID, o.PerSecond)
	if err != nil {
		return nil, err
	}
	r := &Reconciler{Pool: p, Rows: rows, UserID: o.Settings.UserID, OnDelete: o.Settings.OnDelete, MaxGone: o.Settings.MaxGone, Log: o.Log}
	if reason := r.CanMark(); reason != "" && r.OnDelete != settings.Report {
		o.Log.ErrorContext(ctx, "cannot mark", "reason", reason)
	}
	if rows.Table == &users.Description { // else the metadata may just be applied: look again next time
		o.opened = r
	}
	return r, nil
}
