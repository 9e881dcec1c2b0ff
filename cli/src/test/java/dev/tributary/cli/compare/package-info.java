@NullMarked
package dev.tributary.cli.compare;

import org.jspecify.annotations.NullMarked;
