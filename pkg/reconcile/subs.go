package reconcile

import (
	"encoding/hex"
	"hash/fnv"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// subs is a set of subs, in some 20 bytes each.
type subs struct{ set map[[16]byte]struct{} }

func newSubs() *subs { return &subs{make(map[[16]byte]struct{})} }

// add adds a sub. It returns false if it is there already.
func (s *subs) add(sub string) bool {
	n := len(s.set)
	s.set[compact(sub)] = struct{}{}
	return len(s.set) > n
}

func (s *subs) has(sub string) bool {
	_, ok := s.set[compact(sub)]
	return ok
}

// common returns the digits with which all subs begin, up to eight.
func (s *subs) common() string {
	common := ""
	for id := range s.set {
		text := hex.EncodeToString(id[:4])
		if common == "" {
			common = text
		}
		for !strings.HasPrefix(text, common) {
			common = common[:len(common)-1]
		}
		if common == "" {
			break
		}
	}
	return common
}

// compact returns the bytes of a UUID, or a hash of any other text.
func compact(sub string) (id [16]byte) {
	if users.IsUUID(sub) {
		if _, err := hex.Decode(id[:], []byte(strings.ReplaceAll(sub, "-", ""))); err == nil {
			return id
		}
	}
	h := fnv.New128a()
	h.Write([]byte(sub))
	h.Sum(id[:0])
	return id
}
