// Package child starts programs that end with the one that started them, and
// tells at once when one of them ends without having been asked to.
package child
