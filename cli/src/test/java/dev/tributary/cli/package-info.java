/// Tests of the command line.
@NullMarked
package dev.tributary.cli;

import org.jspecify.annotations.NullMarked;
