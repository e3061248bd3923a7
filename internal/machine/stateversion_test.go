package machine

import "testing"

func TestTheVersionOfAStateIsThatOfTheContract(t *testing.T) {
	t.Parallel()
	if got, want := StateVersion(nil), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"; got != want {
		t.Errorf("the empty state has version %s, not %s", got, want)
	}
	bob := []StateValue{{Name: "name", Value: []byte("bob")}}
	if got, want := StateVersion(bob), "tDqA04Lj3_qJ-PgNPTecXDGZgpwy6jm2Ni2BYqJIthM"; got != want {
		t.Errorf("name=bob has version %s, not %s", got, want)
	}
}

func TestADigestGoesOnAfterItsVersionWasTaken(t *testing.T) {
	t.Parallel()
	var d StateDigest
	d.Version()
	d.Add("a", []byte("1"))
	d.Version()
	d.Add("b", nil)
	both := []StateValue{{Name: "a", Value: []byte("1")}, {Name: "b"}}
	if got, want := d.Version(), StateVersion(both); got != want {
		t.Errorf("value by value the version is %s, at once %s", got, want)
	}
}
