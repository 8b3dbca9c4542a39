// Package auth is shared by several services.
package auth
