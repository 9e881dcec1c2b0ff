/// A real Kafka broker and a real schema registry on this machine, each in a process of its own:
/// for tests, and for a person who wants to try Tributary without installing anything.
@NullMarked
package dev.tributary.stack;

import org.jspecify.annotations.NullMarked;
