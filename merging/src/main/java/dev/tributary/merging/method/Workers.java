package dev.tributary.merging.method;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// A few threads that share out numbered pieces of work and wait for the last one. What a piece
/// computes must not depend on who takes it.
public final class Workers implements AutoCloseable {
    private static final String THREADS = "tributary.threads";

    private final int threads;
    private final ExecutorService executor;

    private Workers(int threads) {
        this.threads = threads;
        this.executor =
                Executors.newFixedThreadPool(
                        threads,
                        Thread.ofPlatform().daemon().name("tributary-merging-", 0).factory());
    }

    /// As many threads as are [#available].
    public static Workers create() {
        return new Workers(available());
    }

    /// So many threads as `-Dtributary.threads` says, or as there are cores.
    public static int available() {
        return Math.max(1, Integer.getInteger(THREADS, Runtime.getRuntime().availableProcessors()));
    }

    /// How many threads there are.
    public int threads() {
        return threads;
    }

    /// Does pieces 0 to `pieces - 1`.
    public void each(int pieces, IntConsumer work) {
        if (threads == 1 || pieces <= 1) {
            for (int piece = 0; piece < pieces; piece++) {
                work.accept(piece);
            }
            return;
        }
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> running = new ArrayList<>(threads);
        for (int i = 0; i < Math.min(threads, pieces); i++) {
            running.add(
                    executor.submit(() -> {
                        try {
                            for (int piece = next.getAndIncrement();
                                    piece < pieces;
                                    piece = next.getAndIncrement()) {
                                work.accept(piece);
                            }
                        } catch (Throwable failure) {
                            next.set(pieces);
                            throw failure;
                        }
                    }));
        }
        running.forEach(Workers::await);
    }

    /// The results of pieces 0 to `pieces - 1`, in order.
    public <T> List<T> map(int pieces, IntFunction<T> work) {
        if (threads == 1 || pieces <= 1) {
            return IntStream.range(0, pieces).<T>mapToObj(work).toList();
        }
        List<Future<T>> running = new ArrayList<>(pieces);
        for (int i = 0; i < pieces; i++) {
            int piece = i;
            running.add(executor.submit(() -> work.apply(piece)));
        }
        return running.stream().map(Workers::await).toList();
    }

    private static <T> T await(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while merging", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /// Returns when nothing is at work any more: what the pieces read may be unmapped then.
    @Override
    public void close() {
        executor.shutdownNow();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                ended = executor.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
