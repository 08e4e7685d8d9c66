package models

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func zipped(t testing.TB, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.WriteZip(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// entry is what a hostile archive says and holds.
type entry struct {
	header zip.FileHeader
	data   []byte
	raw    bool // data is packed already, and the header's sizes are not
}

// archive writes the shipped bundle and further entries.
func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	if err := z.AddFS(shippedFiles(t)); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		create := z.CreateHeader
		if e.raw {
			create = z.CreateRaw
		}
		w, err := create(&e.header)
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openBytes(data []byte) (*Bundle, error) {
	return OpenZip(bytes.NewReader(data), int64(len(data)))
}

func TestBundleInOneFileIsTheBundle(t *testing.T) {
	b, err := Open(shippedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "steel.zip")
	if err := os.WriteFile(path, zipped(t, b), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := OpenPath(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.manifest, b.manifest) || !bytes.Equal(got.ONNX(), b.ONNX()) || len(got.Golden()) != len(b.Golden()) {
		t.Error("another bundle came out")
	}
	if !bytes.Equal(zipped(t, got), zipped(t, b)) {
		t.Error("the same bundle gives other bytes the second time")
	}
}

// A person packs a folder with what the distribution has.
func TestBundlePackedByZipIsRead(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed; its zipfile packs the folder")
	}
	dir := t.TempDir()
	writeFolder(t, filepath.Join(dir, "bundle"), shippedFiles(t))
	path := filepath.Join(dir, "bundle.zip")
	cmd := exec.Command("python3", "-m", "zipfile", "-c", path, "manifest.json", "model.onnx", "golden.png", "golden.json", "report.json", "pictures/")
	cmd.Dir = filepath.Join(dir, "bundle")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := OpenPath(path); err != nil {
		t.Error(err)
	}
}

func TestArchiveThatIsNoPlainBundleIsRefused(t *testing.T) {
	named := func(name string, mode fs.FileMode, data string) entry {
		h := zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Unix(0, 0)}
		h.SetMode(mode)
		return entry{header: h, data: []byte(data)}
	}
	says := func(name string, method uint16, flags uint16, packed, unpacked uint64) entry {
		return entry{raw: true, data: make([]byte, packed), header: zip.FileHeader{
			Name: name, Method: method, Flags: flags, CompressedSize64: packed, UncompressedSize64: unpacked,
		}}
	}
	whole := archive(t)
	end := func(edit func(end []byte)) []byte {
		out := bytes.Clone(whole)
		edit(out[len(out)-endLength:])
		return out
	}
	many := make([]entry, 400)
	for i := range many {
		many[i] = named("more/"+strings.Repeat("x", i+1), 0o644, "x")
	}
	long := make([]entry, 300)
	for i := range long {
		long[i] = named(strings.Repeat("x", 500+i), 0o644, "x")
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"outside":             {archive(t, named("../evil", 0o644, "x")), `it holds "../evil"; allowed are paths inside the bundle`},
		"outside, deep":       {archive(t, named("pictures/../../evil", 0o644, "x")), "allowed are paths inside the bundle"},
		"absolute":            {archive(t, named("/etc/cron.d/evil", 0o644, "x")), "allowed are paths inside the bundle"},
		"backslashes":         {archive(t, named(`..\evil`, 0o644, "x")), "allowed are paths inside the bundle"},
		"drive":               {archive(t, named("C:evil", 0o644, "x")), "allowed are paths inside the bundle"},
		"link":                {archive(t, named("link", fs.ModeSymlink|0o777, "/etc/passwd")), `"link" is Lrwxrwxrwx; only regular files and folders are allowed`},
		"device":              {archive(t, named("device", fs.ModeDevice|0o666, "")), "only regular files and folders are allowed"},
		"folder as a file":    {archive(t, named("folder", fs.ModeDir|0o755, "")), "only regular files and folders are allowed"},
		"manifest twice":      {archive(t, named(ManifestName, 0o644, "{}")), `it holds "manifest.json" twice`},
		"model twice":         {archive(t, named("model.onnx", 0o644, "x")), `it holds "model.onnx" twice`},
		"not listed":          {archive(t, named("run.sh", 0o755, "rm")), `it holds "run.sh", which the manifest does not list`},
		"encrypted":           {archive(t, says("secret", zip.Store, 1, 10, 10)), `"secret" is encrypted`},
		"another packing":     {archive(t, says("x", 93, 0, 10, 10)), `"x" is packed by method 93; allowed are stored and deflated`},
		"bomb":                {archive(t, says("x", zip.Deflate, 0, 1000, 200<<20)), `"x" unpacks from 1000 to 209715200 bytes; allowed is 100 times its size`},
		"bomb in one":         {archive(t, says("x", zip.Deflate, 0, 3<<20, 300<<20)), `"x" unpacks to 314572800 bytes; allowed are 268435456`},
		"bomb in several":     {archive(t, says("x", zip.Deflate, 0, 3<<20, 200<<20), says("y", zip.Deflate, 0, 3<<20, 200<<20)), "allowed are 402653184 together"},
		"too many":            {archive(t, many...), "entries; allowed are 354"},
		"long list":           {archive(t, long...), "its list of entries has"},
		"cut":                 {whole[:len(whole)/2], "its end is missing"},
		"cut by a byte":       {whole[:len(whole)-1], "its end is missing"},
		"empty":               {nil, "its end is missing"},
		"no archive":          {bytes.Repeat([]byte("model"), 1000), "its end is missing"},
		"something before":    {append([]byte("#!/bin/sh\n"), whole...), "its list of entries is not where its end says"},
		"fewer than there":    {end(func(e []byte) { binary.LittleEndian.PutUint16(e[10:], 1) }), "it is not a whole ZIP archive"},
		"list somewhere else": {end(func(e []byte) { binary.LittleEndian.PutUint32(e[16:], 4) }), "its list of entries is not where its end says"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := openBytes(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v; it must contain %q", err, c.want)
			}
		})
	}
}

// What an entry says of itself is not believed: the manifest's size bounds what is unpacked.
func TestArchiveWithAnEndRecordInItsCommentIsRefused(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if err := w.SetComment("PK\x05\x06" + strings.Repeat("\x00", 30)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openBytes(out.Bytes()); err == nil || !strings.Contains(err.Error(), "something follows its end record") {
		t.Errorf("got %v; a reader could take either record for the end", err)
	}
}

func TestEntryThatUnpacksToMoreThanItSaysIsRefused(t *testing.T) {
	f := shippedFiles(t)
	f["golden.json"] = &fstest.MapFile{Data: append(f["golden.json"].Data, make([]byte, 50<<20)...), Mode: 0o644}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	if err := z.AddFS(f); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// In the list of entries the file is given its honest size.
	data := out.Bytes()
	grown := binary.LittleEndian.AppendUint32(nil, uint32(len(f["golden.json"].Data)))
	at := bytes.LastIndex(data, grown)
	if at < 0 {
		t.Fatal("the size is not in the list")
	}
	binary.LittleEndian.PutUint32(data[at:], 2379)
	if _, err := openBytes(data); err == nil || !strings.Contains(err.Error(), "golden.json") {
		t.Errorf("error is %v; want a refusal of golden.json", err)
	}
}

func TestDamagedByteAnywhereIsRefused(t *testing.T) {
	b, err := Open(shippedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	whole := zipped(t, b)
	refused := 0
	for i := 0; i < len(whole); i += len(whole) / 50 {
		data := bytes.Clone(whole)
		data[i] ^= 0x10
		got, err := openBytes(data)
		if err != nil {
			refused++
		} else if !bytes.Equal(got.manifest, b.manifest) {
			t.Errorf("byte %d changes the manifest and passes", i)
		}
	}
	if refused < 45 {
		t.Errorf("%d of 50 damaged archives were refused", refused)
	}
}

// An archive of any bytes is refused, or it is a bundle that can be written and read again.
func FuzzZip(f *testing.F) {
	b, err := Embedded()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zipped(f, b))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	var small bytes.Buffer
	z := zip.NewWriter(&small)
	if err := z.AddFS(fstest.MapFS{ManifestName: {Data: []byte("{}")}, "pictures/hole.png": {Data: []byte("PNG")}}); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := openBytes(data)
		if err != nil {
			return
		}
		if _, err := openBytes(zipped(t, b)); err != nil {
			t.Error(err)
		}
	})
}
