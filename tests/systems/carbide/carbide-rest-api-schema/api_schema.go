// Package apischema is shared by several services.
package apischema
