#!/usr/bin/env bash
# Times the tensor kernels with JMH, with vector instructions and without, and prints both beside a copy of as many bytes;
# arguments go to JMH, such as: benchmarks/kernels.sh 'combination|copy' -p experts=7
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
home="$(dirname "$here")"
"$home/tributary" --version >/dev/null
java="$("$home/tributary" java-home)/bin/java"
exec "$java" @"$home/cli/src/main/jvm/tributary.args" -cp "$here/target/benchmarks-0.1.0.jar:$here/target/lib/*" \
  dev.tributary.benchmarks.KernelTable "$@"
