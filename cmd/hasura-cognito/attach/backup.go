package attach

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A Backup is the file that undo reads. It holds all settings of the pool, among them texts and sender addresses of messages,
// and nothing about the pool's users.
type Backup struct {
	UserPoolID string
	Region     string // "" in a file of an older version: the Region in the pool's id
	At         time.Time
	Before     triggers
	After      triggers

	// For the AWS CLI, if undo is not enough: the settings before the change, in the form that
	// "aws cognito-idp update-user-pool --cli-input-json" and "set-user-pool-mfa-config --cli-input-json" take.
	Settings    any
	MFASettings any
	// What AWS sent, in full.
	Pool any
	MFA  any
}

// backup writes a new file and returns its name.
func (a attacher) backup(s state, after triggers) (string, error) {
	b := Backup{a.Pool, a.region, time.Now().UTC(), s.triggers(), after, s.settings(), s.mfaSettings(), s.pool, s.mfa}
	data, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return "", err
	}
	name := filepath.Join(a.Dir, fmt.Sprintf("attach-%s-%s.json", b.UserPoolID, b.At.Format("20060102T150405Z")))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", refuse("write the backup: %w. Nothing was changed", err)
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", refuse("write the backup: %w. Nothing was changed", err)
	}
	return name, nil
}

// ReadBackup reads a file that an earlier run wrote.
func ReadBackup(name string) (*Backup, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var b Backup
	if err := decoder.Decode(&b); err != nil || b.UserPoolID == "" {
		return nil, fmt.Errorf("%s is not a backup file of attach", name)
	}
	return &b, nil
}
