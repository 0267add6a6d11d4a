package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A backup is what a change to a pool can be undone with. It holds settings, among
// them texts and sender addresses of messages, and nothing about the pool's people.
type backup struct {
	UserPoolID string
	At         time.Time
	Before     triggers
	After      triggers
	// Settings is the whole pool before the change, in the form that
	// "aws cognito-idp update-user-pool --cli-input-json" takes. -undo does not read it.
	Settings any
}

// write makes a new file and returns its name.
func (b backup) write(dir string) (string, error) {
	data, err := json.Marshal(b.Settings)
	if err != nil {
		return "", err
	}
	var settings map[string]any
	if err := json.Unmarshal(data, &settings); err != nil {
		return "", err
	}
	prune(settings)
	b.Settings = settings
	if data, err = json.MarshalIndent(b, "", "  "); err != nil {
		return "", err
	}
	name := filepath.Join(dir, fmt.Sprintf("attach-%s-%s.json", b.UserPoolID, b.At.Format("20060102T150405Z")))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("write the backup: %w", err)
	}
	_, err = file.Write(append(data, '\n'))
	return name, errors.Join(err, file.Close())
}

// prune takes out the members that are null or "", which the AWS CLI refuses.
func prune(object map[string]any) {
	for key, value := range object {
		switch value := value.(type) {
		case nil:
			delete(object, key)
		case string:
			if value == "" {
				delete(object, key)
			}
		case map[string]any:
			prune(value)
		}
	}
	// A 0 stands for none where the SDK has no pointer.
	for _, key := range []string{"UnusedAccountValidityDays", "TemporaryPasswordValidityDays"} {
		if object[key] == 0.0 {
			delete(object, key)
		}
	}
}

func readBackup(name string) (*backup, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var b backup
	if err := decoder.Decode(&b); err != nil || b.UserPoolID == "" {
		return nil, fmt.Errorf("%s is not a file that attach wrote", name)
	}
	return &b, nil
}
