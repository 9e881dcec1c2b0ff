/// Methods side by side over the same experts: which keeps how much of them, at what cost.
@NullMarked
package dev.tributary.cli.compare;

import org.jspecify.annotations.NullMarked;
