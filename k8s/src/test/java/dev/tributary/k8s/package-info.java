/// Holds the manifests to the code and to the published schemas.
@NullMarked
package dev.tributary.k8s;

import org.jspecify.annotations.NullMarked;
