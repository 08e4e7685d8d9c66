package appliance

import (
	"fmt"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
)

func TestPastCoilsThatThereIsNoTimeForAreAllCounted(t *testing.T) {
	const coils = 103 // more than are read at once
	st, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	r := holding("any", 1, 1)
	for i := range coils {
		id := inspection.CoilID(fmt.Sprintf("A%d", i))
		if _, err := st.StartCoil(t.Context(), id, inspection.CoilOrder{}, r, inspection.Setup{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		m := inspection.DefectMap{Strip: inspection.Strip{Coil: id, Length: 1000, Width: 100}}
		if _, err := st.CloseCoil(t.Context(), id, m.Strip, inspection.GradeMap(m, r), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	a := &Appliance{store: st}
	show := func(inspection.Coil) error { return nil }
	if shown, skipped, err := a.pastCoilsUntil(t.Context(), 500, time.Now().Add(-time.Second), show); err != nil || shown != 0 || skipped != coils {
		t.Errorf("without time %d are shown and %d skipped, %v", shown, skipped, err)
	}
	if shown, skipped, err := a.pastCoils(t.Context(), 102, show); err != nil || shown != 102 || skipped != 0 {
		t.Errorf("of 102 %d are shown and %d skipped, %v", shown, skipped, err)
	}
}
