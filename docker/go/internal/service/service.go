// Package service is what every compiled service of the fleet shares: its command line, /health and a clean end.
package service

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Service is a name, a version and what it does.
type Service struct {
	Name    string
	Version string
	Handler http.Handler
	Task    func(context.Context) // optional; runs beside the server until its context ends
}

// Main runs the service: "serve" (when nothing is said), "health" or "--version".
func (s Service) Main() {
	log.SetFlags(0)
	version := flag.Bool("version", false, "print the version and exit")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: %s [--version] [serve | health]\n", s.Name)
	}
	flag.Parse()

	var err error
	switch command := flag.Arg(0); {
	case *version:
		fmt.Println(s.Name, s.Version)
	case command == "" || command == "serve":
		err = s.serve()
	case command == "health":
		err = health()
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		log.Fatalf("%s: %v", s.Name, err)
	}
}

// serve ends at SIGTERM or Ctrl-C, after the requests in flight. The first process of a container
// must take SIGTERM itself.
func (s Service) serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if s.Task != nil {
		go s.Task(ctx)
	}

	mux := http.NewServeMux()
	mux.Handle("/", s.Handler)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: ":" + port(), Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// health asks the service beside us; this is the image's HEALTHCHECK.
func health() error {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get("http://127.0.0.1:" + port() + "/health")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/health answered %s", answer.Status)
	}
	return nil
}

func port() string {
	return Setting("PORT", "8080")
}

// Setting is an environment variable, or a default where it is unset or empty.
func Setting(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
