/// The demo: real experts made one after another, each generation merged and scored as they arrive.
@NullMarked
package dev.tributary.cli.demo;

import org.jspecify.annotations.NullMarked;
