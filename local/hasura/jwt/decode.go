package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decode reads one JSON value as Hasura's JSON library, aeson, does: of two members with one name the first counts, and a surrogate
// without its pair is an error. Numbers are of the type json.Number.
func decode(text []byte) (any, error) {
	d := jsontext.NewDecoder(strings.NewReader(string(text)), jsontext.AllowDuplicateNames(true))
	value, err := read(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	return value, nil
}

func read(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '{':
		object := make(map[string]any)
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String() // the token is valid until the next read
			value, err := read(d)
			if err != nil {
				return nil, err
			}
			if _, twice := object[key]; !twice {
				object[key] = value
			}
		}
		_, err = d.ReadToken()
		return object, err
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			value, err := read(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.ReadToken()
		return list, err
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

// knownAlgorithms are all that hs-jose 0.10 can read. It ignores a signature of those that are not among its default algorithms.
var knownAlgorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "ES256K", "PS256", "PS384", "PS512", "none", "EdDSA"}

// base64URL decodes a part of a token, with or without padding. The error is Hasura's refusal.
func base64URL(part string) ([]byte, error) {
	octets, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, undecodable("Not valid base64url")
	}
	return octets, nil
}

func undecodable(why string) error {
	return unverified("JWSError (JSONDecodeError %s)", strconv.Quote(why))
}

// checkForm says why hs-jose cannot read the parts of a token, and returns the algorithm: Crypto/JOSE/JWS.hs (fromCompact) and
// Crypto/JOSE/Header.hs. The payload comes first.
func checkForm(parts []string) (algorithm string, err error) {
	if len(parts) != 3 {
		// Cognito's refresh tokens are encrypted and have 5 parts (graphql-engine #5724).
		return "", unverified("JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got %d)", len(parts))
	}
	var octets [3][]byte
	for _, i := range []int{1, 0, 2} {
		if octets[i], err = base64URL(parts[i]); err != nil {
			return "", err
		}
		if i != 0 {
			continue
		}
		decoded, err := decode(octets[0])
		header, ok := decoded.(map[string]any)
		if err != nil || !ok && decoded != nil {
			return "", undecodable("protected header contains invalid JSON")
		}
		alg, ok := header["alg"]
		if !ok {
			return "", undecodable(`missing required header "alg"`)
		}
		if algorithm, _ = alg.(string); !slices.Contains(knownAlgorithms, algorithm) {
			list, _ := json.Marshal(knownAlgorithms) // strings
			return "", undecodable("unrecognised value; expected: " + string(list))
		}
		for _, name := range []string{"kid", "typ", "cty"} {
			value, there := header[name]
			if _, text := value.(string); there && !text {
				return "", undecodable("parsing Text failed, expected String, but encountered " + kind(value))
			}
		}
		if crit, _ := header["crit"].([]any); len(crit) > 0 {
			if name, _ := crit[0].(string); slices.Contains([]string{"alg", "jku", "jwk", "x5u", "x5t", "x5t#S256", "x5c", "kid", "typ", "cty", "crit"}, name) {
				return "", undecodable("crit key is reserved")
			}
			return "", undecodable("crit key is not understood")
		}
	}
	return algorithm, nil
}
