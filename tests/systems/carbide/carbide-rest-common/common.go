// Package common is shared by several services.
package common
