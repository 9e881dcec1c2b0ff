package dev.tributary.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalStackIT {

    private static final String SCHEMA = "{\"schema\": \"{\\\"type\\\": \\\"string\\\"}\"}";

    @TempDir Path folder;

    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void schemasAndTheirIdsOutliveAKilledRegistry() throws Exception {
        try (LocalStack stack = LocalStack.start(folder)) {
            assertThat(stack.broker().running()).isTrue();
            String id = post(stack.registryUrl() + "/subjects/a-value/versions");
            assertThat(id).startsWith("{\"id\":");

            stack.registry().kill();
            stack.registry().start();

            assertThat(get(stack.registryUrl() + "/subjects")).isEqualTo("[\"a-value\"]");
            assertThat(post(stack.registryUrl() + "/subjects/a-value/versions")).isEqualTo(id);
        }
    }

    private String post(String url) throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(URI.create(url))
                        .header("content-type", "application/vnd.schemaregistry.v1+json")
                        .POST(HttpRequest.BodyPublishers.ofString(SCHEMA))
                        .build());
    }

    private String get(String url) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url)).build());
    }

    private String send(HttpRequest request) throws IOException, InterruptedException {
        return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
