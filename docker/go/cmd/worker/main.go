// Worker keeps count of the goods: it reads the catalog from time to time and serves the sum at /stock.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"example.com/fleet/internal/service"
)

var client = http.Client{Timeout: 5 * time.Second}

// stock is the last count, shared between the task that counts and the requests that read.
type stock struct {
	mu      sync.Mutex
	Tons    int       `json:"tons"`
	Counted time.Time `json:"counted"`
}

// count reads the catalog once.
func (s *stock) count(ctx context.Context, catalog string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, catalog+"/goods", nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", request.URL, answer.Status)
	}
	var goods []struct{ Tons int }
	if err := json.NewDecoder(answer.Body).Decode(&goods); err != nil {
		return err
	}
	tons := 0
	for _, item := range goods {
		tons += item.Tons
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Tons, s.Counted = tons, time.Now().UTC()
	return nil
}

// keep counts now and then every ten seconds, until the service ends.
func (s *stock) keep(ctx context.Context) {
	catalog := service.Setting("CATALOG_URL", "http://catalog:8080")
	every := time.NewTicker(10 * time.Second)
	defer every.Stop()
	for {
		if err := s.count(ctx, catalog); err != nil && ctx.Err() == nil {
			log.Printf("worker: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (s *stock) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s)
}

func main() {
	var goods stock
	routes := http.NewServeMux()
	routes.Handle("GET /stock", &goods)
	service.Service{Name: "worker", Version: "1.0.0", Handler: routes, Task: goods.keep}.Main()
}
