package dev.tributary.schemas;

import dev.tributary.stack.LocalStack;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/// Hands tests a real broker and a real registry, with all topics and schemas in place. All test
/// classes share one.
final class RealStack implements ParameterResolver {

    private static final ExtensionContext.Namespace OURS =
            ExtensionContext.Namespace.create(RealStack.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == LocalStack.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getRoot()
                .getStore(OURS)
                .computeIfAbsent(LocalStack.class, _ -> start(), LocalStack.class);
    }

    private static LocalStack start() {
        LocalStack stack = LocalStack.start(emptyFolder());
        try (Admin admin = stack.broker().admin();
                SchemaRegistryClient registry =
                        RegistryConnection.open(
                                Map.of(RegistryConnection.URL, stack.registryUrl()))) {
            var _ = new TopicCreator(admin).create(Arrays.asList(Topic.values()));
            var _ = new SchemaRegistrar(registry).register(Topic.ofEvents());
            return stack;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path emptyFolder() {
        try {
            return Files.createTempDirectory(
                    Files.createDirectories(Path.of("target", "stack")), "run-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
