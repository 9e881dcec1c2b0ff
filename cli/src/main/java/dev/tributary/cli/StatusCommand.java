package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.events.PoolExpert;
import dev.tributary.events.RegressionAlert;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Shows where pools stand.
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description =
                "Where each pool stands: experts, newest generation, verdict, champion, alerts.",
        footerHeading = "%nExamples:%n",
        footer = {"  tributary status", "  tributary status my-pool -o json"})
final class StatusCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();
    @Mixin OutputOption output = new OutputOption();

    @Parameters(arity = "0..1", paramLabel = "POOL", description = "Only this pool.")
    @Nullable String pool;

    @Override
    public Integer call() {
        Map<String, PoolStatus> pools;
        try (EventLog log = EventLog.open(stack.connection())) {
            pools = PoolStatus.readAll(log);
        }
        if (pool != null) {
            pools.keySet().removeIf(name -> !name.equals(pool));
        }
        if (output.json()) {
            System.out.println(OutputOption.pretty(json(pools)));
        } else {
            print(pools);
        }
        return pool != null && pools.isEmpty() ? 1 : 0;
    }

    private void print(Map<String, PoolStatus> pools) {
        Terminal terminal = Terminal.standard();
        if (pools.isEmpty()) {
            terminal.line(
                    pool == null
                            ? "no pools yet: create one with `tributary pool create NAME --base DIR`"
                            : "[%s] no such pool: `tributary status` lists them".formatted(pool));
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        for (PoolStatus status : pools.values()) {
            rows.add(row(status));
        }
        terminal.table(
                List.of(
                        "pool",
                        "experts",
                        "generation",
                        "verdict",
                        "ANP",
                        "champion",
                        "alerts",
                        "dead letters"),
                rows);
        for (PoolStatus status : pools.values()) {
            for (RegressionAlert alert : status.firing()) {
                terminal.line("  firing: " + alert.getSentence());
            }
        }
    }

    private static List<String> row(PoolStatus status) {
        var state = status.state;
        var generation = state == null ? null : state.getGeneration();
        var evaluated = status.evaluated;
        var champion = status.champion;
        return List.of(
                status.pool,
                state == null ? "0" : String.valueOf(state.getExperts().size()),
                generation == null ? "-" : String.valueOf(generation.getNumber()),
                evaluated == null
                        ? "-"
                        : "%s (%d)".formatted(evaluated.getVerdict(), evaluated.getNumber()),
                evaluated == null || evaluated.getAnp() == null
                        ? "-"
                        : String.format(Locale.ROOT, "%.3f", evaluated.getAnp()),
                champion == null ? "-" : String.valueOf(champion.getNumber()),
                String.valueOf(status.firing().size()),
                String.valueOf(status.deadLetters.size()));
    }

    private static ArrayNode json(Map<String, PoolStatus> pools) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (PoolStatus status : pools.values()) {
            ObjectNode json = array.addObject();
            json.put("pool", status.pool);
            ArrayNode experts = json.putArray("experts");
            if (status.state != null) {
                for (PoolExpert expert : status.state.getExperts()) {
                    experts.add(EventJson.of(expert));
                }
            }
            json.set("state", status.state == null ? null : EventJson.of(status.state));
            json.set("evaluated", status.evaluated == null ? null : EventJson.of(status.evaluated));
            json.set("champion", status.champion == null ? null : EventJson.of(status.champion));
            ArrayNode alerts = json.putArray("alerts");
            status.alerts.values().forEach(alert -> alerts.add(EventJson.of(alert)));
            ArrayNode letters = json.putArray("deadLetters");
            status.deadLetters.forEach(letter -> letters.add(EventJson.of(letter)));
        }
        return array;
    }
}
