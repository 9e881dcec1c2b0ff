package dev.tributary.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Images from which batches are made in any order.
///
/// @param uris data URIs
/// @param tokens of each: patches, and the class token
record PreparedImages(ImageProcessor processor, List<String> uris, int tokens) implements Inputs {

    @Override
    public int size() {
        return uris.size();
    }

    @Override
    public int length(int item) {
        return tokens;
    }

    @Override
    public Batch batch(int... items) {
        return Batch.of(processor.images(Arrays.stream(items).mapToObj(uris::get).toList()));
    }

    /// All are alike.
    @Override
    public List<int[]> byLength(int rows) {
        List<int[]> groups = new ArrayList<>();
        for (int from = 0; from < size(); from += rows) {
            groups.add(IntStream.range(from, Math.min(size(), from + rows)).toArray());
        }
        return groups;
    }
}
