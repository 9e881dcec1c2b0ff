package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Confluent's configuration keys reach Confluent's client.
class RegistryConnectionTest {

    private HttpServer server;

    @BeforeEach
    void startRegistryThatAsksForAPassword() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        server.createContext("/subjects", RegistryConnectionTest::noSubjects)
                .setAuthenticator(
                        new BasicAuthenticator("registry") {
                            @Override
                            public boolean checkCredentials(String user, String password) {
                                return user.equals("merge-worker") && password.equals("secret");
                            }
                        });
        server.start();
    }

    @AfterEach
    void stopRegistry() {
        server.stop(0);
    }

    @Test
    void nameAndPasswordArePassedOn() throws Exception {
        try (SchemaRegistryClient client =
                RegistryConnection.open(
                        Map.of(
                                "schema.registry.url", url(),
                                "basic.auth.credentials.source", "USER_INFO",
                                "basic.auth.user.info", "merge-worker:secret"))) {
            assertThat(client.getAllSubjects()).isEmpty();
        }
    }

    @Test
    void withoutAPasswordTheRegistryRefuses() throws Exception {
        try (SchemaRegistryClient client =
                RegistryConnection.open(Map.of("schema.registry.url", url()))) {
            assertThatThrownBy(client::getAllSubjects)
                    .isInstanceOfSatisfying(
                            RestClientException.class,
                            e -> assertThat(e.getStatus()).isEqualTo(401));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofSeveralAddressesTheOneThatAnswersIsUsed(boolean asList) throws Exception {
        String nobody = "http://127.0.0.1:" + dev.tributary.stack.FreePorts.one();
        Object addresses = asList ? List.of(nobody, url()) : nobody + " , " + url();
        try (SchemaRegistryClient client =
                RegistryConnection.open(
                        Map.of(
                                "schema.registry.url", addresses,
                                "basic.auth.credentials.source", "USER_INFO",
                                "basic.auth.user.info", "merge-worker:secret"))) {
            assertThat(client.getAllSubjects()).isEmpty();
        }
    }

    @Test
    void aMissingAddressIsRefusedInOneSentence() {
        assertThatThrownBy(() -> RegistryConnection.open(Map.of("schema.registry.url", " , ")))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("[schema.registry.url] is not set, expected the address");
    }

    @Test
    void keysAndGenericReadingAreRefusedWhenConfigured() {
        Map<String, Object> configuration = Map.of("schema.registry.url", url());
        try (AvroWireSerializer serializer = new AvroWireSerializer();
                AvroWireDeserializer deserializer = new AvroWireDeserializer()) {
            assertThatThrownBy(() -> serializer.configure(configuration, true))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("[key.serializer]");
            assertThatThrownBy(() -> deserializer.configure(configuration, true))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("[key.deserializer]");
            assertThatThrownBy(() ->
                            deserializer.configure(
                                    Map.of(
                                            "schema.registry.url",
                                            url(),
                                            "specific.avro.reader",
                                            "false"),
                                    false))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("[specific.avro.reader] is false, expected true");
        }
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private static void noSubjects(HttpExchange exchange) throws IOException {
        byte[] body = "[]".getBytes(UTF_8);
        exchange.getResponseHeaders().add("content-type", "application/json");
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
