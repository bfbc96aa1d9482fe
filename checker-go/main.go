// Command checker-go judges zerogap certificates independently of the package that wrote them.
//
//	checker-go FILE-OR-FOLDER …
//
// One line per certificate: accepted, refused with the reason, or not judged here. The exit code is
// 0 if all are accepted, 1 if one is refused, 2 if the input is bad, and 3 if nothing is refused and
// something is not judged here.
package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const longestLine = 1 << 28

func main() {
	if len(os.Args) < 2 {
		fail("checker-go: name files or folders of .jsonl certificates")
	}
	files, err := certificateFiles(os.Args[1:])
	if err != nil {
		fail("checker-go: %v", err)
	}
	counts, bad := map[string]int{}, false
	out := bufio.NewWriter(os.Stdout)
	for _, file := range files {
		if err := judgeFile(file, counts, out); err != nil {
			out.Flush()
			fmt.Fprintf(os.Stderr, "checker-go: %s: %v\n", file, err)
			bad = true
		}
	}
	fmt.Fprintf(out, "%d accepted, %d refused, %d not judged here\n",
		counts[accepted], counts[refused], counts[notJudged])
	out.Flush()
	switch {
	case bad:
		os.Exit(2)
	case counts[refused] > 0 || counts[accepted]+counts[notJudged] == 0:
		os.Exit(1)
	case counts[notJudged] > 0:
		os.Exit(3)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(2)
}

// certificateFiles are the named files and all .jsonl files in the named folders.
func certificateFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("%s is no file or folder", name)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && strings.HasSuffix(path, ".jsonl") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// judgeFile prints a verdict for every line of a file, and flushes it: a reader may be waiting.
func judgeFile(name string, counts map[string]int, out *bufio.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<16)
	for number := 1; ; number++ {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if len(line) > longestLine {
			return fmt.Errorf("line %d is longer than %d bytes", number, longestLine)
		}
		if strings.TrimSpace(line) != "" {
			value, problem := parse(line)
			if problem != nil {
				return fmt.Errorf("line %d: %w", number, problem)
			}
			verdict := judge(value)
			counts[verdict.status]++
			fmt.Fprintf(out, "%s:%d %s\n", name, number, verdict)
			out.Flush()
		}
		if err == io.EOF {
			return nil
		}
	}
}
