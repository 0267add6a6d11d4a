package jwt

import (
	"encoding/json"
	"maps"
	"slices"
)

// find takes the namespace out of the claims.
func (c Config) find(claims map[string]json.RawMessage) (json.RawMessage, error) {
	if c.NamespacePath == "" {
		if value, ok := claims[c.namespace()]; ok {
			return value, nil
		}
		return nil, refuse(InvalidClaims, "claims key: '%s' not found", c.namespace())
	}
	all, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	if value, ok := lookup(all, c.NamespacePath); ok {
		return value, nil
	}
	return nil, refuse(InvalidClaims, "claims not found at claims_namespace_path: '%s'", c.NamespacePath)
}

// mapClaims makes the claims that claims_map describes. Unlike the namespace, its
// paths reach the registered claims, sub among them.
func (c Config) mapClaims(payload json.RawMessage) (map[string]json.RawMessage, error) {
	mapped := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(c.Map)) {
		value := c.Map[name]
		var from struct {
			Path    string          `json:"path"`
			Default json.RawMessage `json:"default"`
		}
		if kind(value) != "Object" || json.Unmarshal(value, &from) != nil {
			mapped[name] = value
			continue
		}
		found, ok := lookup(payload, from.Path)
		if !ok {
			found = from.Default
		}
		if found == nil {
			return nil, refuse(InvalidClaims, "JWT claim from claims_map, %s not found", name)
		}
		mapped[name] = found
	}
	return mapped, nil
}
