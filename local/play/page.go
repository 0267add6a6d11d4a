package main

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed templates static
var files embed.FS

// A section is an entry of the navigation. Path is its page, and the prefix of its other pages.
type section struct{ Path, Name string }

// sections are in the order of the navigation.
var sections = []section{
	{"/users", "Users"},
	{"/tokens", "Tokens"},
	{"/settings", "Settings"},
	{"/break", "Break it"},
	{"/pool", "Pool"},
	{"/doctor", "Token doctor"},
}

// A view is what templates/layout.html shows. Data is for the page's own template.
type view struct {
	Title    string
	Path     string
	Sections []section
	Broken   string // label of the breakage of the page Break it; empty if nothing is broken
	Data     any
}

// brokenKey is the key of a request's context whose value is the view's Broken.
type brokenKey struct{}

// Current reports whether the view belongs to the section.
func (v view) Current(s section) bool {
	return v.Path == s.Path || strings.HasPrefix(v.Path, s.Path+"/")
}

// templates has, for each file of templates/, the layout with that file's "content" and the parts in parts.html.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is constant
	}
	all := make(map[string]*template.Template)
	for _, path := range names {
		name := strings.TrimPrefix(path, "templates/")
		if name != "layout.html" && name != "parts.html" {
			all[name] = template.Must(template.New("layout.html").Funcs(helpers).ParseFS(files, "templates/layout.html", "templates/parts.html", path))
		}
	}
	return all
}

// helpers are functions of the templates.
var helpers = template.FuncMap{
	"join":    strings.Join,
	"changes": func(label, what string, list []column) changes { return changes{label, what, list} },
}

// render writes a page.
func render(w http.ResponseWriter, r *http.Request, name, title string, data any) error {
	return renderStatus(w, r, http.StatusOK, name, title, data)
}

func renderStatus(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) error {
	var page bytes.Buffer
	broken, _ := r.Context().Value(brokenKey{}).(string)
	if err := templates[name].Execute(&page, view{title, r.URL.Path, sections, broken, data}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client may be gone
	return nil
}

// A problem is an error that the page shows with a status. The text says what to do.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

// A handler serves a page. An error is shown as a page; without a [problem] its status is 500.
type handler func(w http.ResponseWriter, r *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm() // else a form that cannot be read would be an empty one
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err != nil && !tooLarge {
		err = problemf(http.StatusBadRequest, "The form cannot be read: %v", err)
	}
	if err == nil {
		err = h(w, r)
	}
	if err == nil {
		return
	}
	status := http.StatusInternalServerError
	if p, ok := errors.AsType[*problem](err); ok {
		status = cmp.Or(p.status, status)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	if err := renderStatus(w, r, status, "error.html", http.StatusText(status), err.Error()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// redirect answers a POST: the browser then gets the page, and a reload does not repeat the action.
func redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
