package claims

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// lists returns lists of the parts that an array literal has to quote, in random order.
func lists() (all [][]string) {
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "B", `"`, `\`, "{", "}", ",", " ", "NULL", "null", "ü", "\t", "\n", "\v", "\u00a0", "'", "$1", "=", "[1:2]", "\x7f", "\U0001f600", "%"}
	for range 5000 {
		list := make([]string, random.IntN(5))
		for i := range list {
			for range random.IntN(6) {
				list[i] += parts[random.IntN(len(parts))]
			}
		}
		all = append(all, list)
	}
	return all
}

// Array literals are read as the lists that they were made of: by pgx, and by the PostgreSQL
// that DATABASE_URL names.
func TestArrayLiteral(t *testing.T) {
	t.Run("pgx", func(t *testing.T) {
		for _, list := range lists() {
			if got := readArray(t, arrayLiteral(list)); !slices.Equal(got, list) {
				t.Errorf("%s is read as %q, want %q", arrayLiteral(list), got, list)
			}
		}
	})
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		return
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		db, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(t.Context())
		for _, list := range lists() {
			var got []string
			if err := db.QueryRow(t.Context(), "SELECT CAST(CAST($1 AS text) AS text[])", arrayLiteral(list)).Scan(&got); err != nil || !slices.Equal(got, list) {
				t.Errorf("%s is read as %q, want %q (%v)", arrayLiteral(list), got, list, err)
			}
		}
	})
}
