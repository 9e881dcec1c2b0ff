package dev.tributary.tensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Which files of a folder from outside are taken into the store. Nothing is opened that is not an
/// ordinary file, and nothing outside of the folder is read: links that lead out, pipes, devices
/// and hidden files are left out.
///
/// Weights kept as pickles and the like beside safetensors are left out too, as publishers often
/// keep both. A file that hides such content under another name is refused, and so is a folder that
/// has its weights in no other form.
///
/// @param files the file to read for each relative path
/// @param skipped what is left out
/// @param bytes how much there is to copy
record ImportPlan(Map<String, Path> files, List<Imported.Skipped> skipped, long bytes) {
    private static final int MAX_FILES = 10_000;
    private static final int MAX_DEPTH = 8;
    private static final int HEAD_BYTES = 512;
    private static final String SAFETENSORS = ".safetensors";
    private static final Set<String> UNSAFE_SUFFIXES =
            Set.of(
                    ".bin",
                    ".pt",
                    ".pth",
                    ".pkl",
                    ".pickle",
                    ".ckpt",
                    ".joblib",
                    ".h5",
                    ".hdf5",
                    ".gguf",
                    ".ggml",
                    ".msgpack",
                    ".ot",
                    ".npz",
                    ".npy",
                    ".zip",
                    ".tar",
                    ".gz");

    ImportPlan {
        files = Map.copyOf(files);
        skipped = List.copyOf(skipped);
    }

    /// Looks through a folder.
    ///
    /// @throws RefusedException with everything that is wrong
    static ImportPlan of(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.ARTIFACT_MISSING,
                            folder.toString(),
                            "no such folder, expected one to copy into the store"));
        }
        try {
            Path root = folder.toRealPath();
            Visitor visitor = new Visitor(root);
            Files.walkFileTree(root, Set.of(), MAX_DEPTH, visitor);
            return visitor.plan();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(folder), e);
        }
    }

    private static final class Visitor extends SimpleFileVisitor<Path> {
        private final Path root;
        private final Map<String, Path> files = new TreeMap<>();
        private final List<Imported.Skipped> skipped = new ArrayList<>();
        private final List<Fault> faults = new ArrayList<>();
        private final List<String> unsafe = new ArrayList<>();
        private long bytes;

        Visitor(Path root) {
            this.root = root;
        }

        ImportPlan plan() {
            if (!unsafe.isEmpty() && files.keySet().stream().noneMatch(this::isSafetensors)) {
                unsafe.forEach(path ->
                        faults.add(
                                unsafeFault(
                                        path, "holds weights in a form that is not read here")));
            }
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
            return new ImportPlan(files, skipped, bytes);
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            if (!folder.equals(root) && isHidden(folder)) {
                skip(folder, "hidden");
                return FileVisitResult.SKIP_SUBTREE;
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
            if (files.size() == MAX_FILES) {
                faults.add(
                        new Fault(
                                FailureCode.CORRUPT_CHECKPOINT,
                                root.toString(),
                                "has more than %d files: not the folder of one model?"
                                        .formatted(MAX_FILES)));
                return FileVisitResult.TERMINATE;
            }
            if (isHidden(file)) {
                skip(file, "hidden");
            } else if (attributes.isSymbolicLink()) {
                visitLink(file);
            } else if (attributes.isDirectory()) {
                skip(file, "more than %d folders deep".formatted(MAX_DEPTH));
            } else if (attributes.isRegularFile()) {
                take(file, file, attributes.size());
            } else {
                skip(file, "a pipe or device");
            }
            return FileVisitResult.CONTINUE;
        }

        private void visitLink(Path link) throws IOException {
            if (!Files.exists(link)) {
                skip(link, "a symbolic link to nothing");
                return;
            }
            Path target = link.toRealPath();
            if (!RegularFile.staysInside(root, target)) {
                skip(link, "a symbolic link out of the folder");
            } else if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
                skip(link, "a symbolic link to something that is not a file");
            } else {
                take(link, target, Files.size(target));
            }
        }

        private void take(Path file, Path source, long size) throws IOException {
            String path = DirectoryListing.relative(root, file);
            if (path.chars().anyMatch(Character::isISOControl) || path.indexOf('\\') >= 0) {
                faults.add(
                        new Fault(
                                FailureCode.UNSAFE_PATH,
                                StrictJson.shown(path),
                                "has a name with control characters or backslashes: rename it"));
            } else if (isUnsafe(path)) {
                unsafe.add(path);
                skip(file, "not safetensors: such files can run code when they are loaded");
            } else {
                unsafeContent(source)
                        .ifPresent(what -> faults.add(unsafeFault(path, "is " + what)));
                files.put(path, source);
                bytes += size;
            }
        }

        private static Fault unsafeFault(String path, String what) {
            return new Fault(
                    FailureCode.UNSAFE_FORMAT,
                    path,
                    "%s, expected safetensors: convert it where it comes from, and publish the result"
                            .formatted(what));
        }

        private static Optional<String> unsafeContent(Path file) throws IOException {
            try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
                return UnsafeFormat.recognise(in.readNBytes(HEAD_BYTES));
            }
        }

        private static boolean isUnsafe(String path) {
            String name = path.toLowerCase(Locale.ROOT);
            return UNSAFE_SUFFIXES.stream().anyMatch(name::endsWith);
        }

        private boolean isSafetensors(String path) {
            return path.endsWith(SAFETENSORS);
        }

        private static boolean isHidden(Path path) {
            return path.getFileName().toString().startsWith(".");
        }

        private void skip(Path path, String reason) {
            skipped.add(new Imported.Skipped(DirectoryListing.relative(root, path), reason));
        }
    }
}
