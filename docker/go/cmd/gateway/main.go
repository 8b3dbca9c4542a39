// Gateway is the way into the fleet: it hands each request to the service behind its path.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"

	"example.com/fleet/internal/service"
)

// proxy hands requests on to the address in an environment variable.
func proxy(variable, fallback string) http.Handler {
	address := service.Setting(variable, fallback)
	target, err := url.Parse(address)
	if err != nil || target.Host == "" {
		log.Fatalf("gateway: %s: %q is not a URL such as %s", variable, address, fallback)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.SetXForwarded()
	}}
}

func main() {
	routes := http.NewServeMux()
	routes.Handle("/goods", proxy("CATALOG_URL", "http://catalog:8080"))
	routes.Handle("/goods/", proxy("CATALOG_URL", "http://catalog:8080"))
	routes.Handle("/stock", proxy("WORKER_URL", "http://worker:8080"))
	routes.Handle("/", proxy("DOCS_URL", "http://docs:8080"))
	service.Service{Name: "gateway", Version: "1.0.0", Handler: routes}.Main()
}
