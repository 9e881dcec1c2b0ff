package dev.tributary.models;

import ai.djl.pytorch.jni.JniUtils;

/// Whether the engine records gradients is a property of the thread, and new threads record: every
/// pass says what it wants and puts back what it found.
final class GradMode implements AutoCloseable {
    private final boolean before = JniUtils.isGradMode();

    GradMode(boolean wanted) {
        JniUtils.setGradMode(wanted);
    }

    @Override
    public void close() {
        JniUtils.setGradMode(before);
    }
}
