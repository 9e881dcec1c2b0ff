/// Follows the events of the pools and keeps each pool's merged model up to date.
@NullMarked
package dev.tributary.merge;

import org.jspecify.annotations.NullMarked;
