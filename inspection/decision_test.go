package inspection

import "testing"

func TestOnePersonStaysOneHoweverTyped(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Kim Minjun", "kim  minjun", true},
		{"김민준", "김 민준", true},
		{"Kim", "Lee", false},
	} {
		if got := SamePerson(c.a, c.b); got != c.same {
			t.Errorf("%q and %q: %t", c.a, c.b, got)
		}
	}
}
