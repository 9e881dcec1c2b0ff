/// Known bugs that can be put into a running worker, to see that a campaign finds them. These
/// classes travel to the worker in a jar of their own and know nothing of the rest of the program.
@NullMarked
package dev.tributary.cli.chaos.mutant;

import org.jspecify.annotations.NullMarked;
