package raft.harness.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.HistoryWriter;
import raft.harness.history.Value;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** What the page holds is what the run's files say; whatever is in them stays text. */
final class ReportPageTest {
    @TempDir private Path folder;

    private static HistoryEvent event(
            int index, long process, Type type, String f, Value value, String error) {
        return new HistoryEvent(
                index,
                index * 1_000_000L,
                process,
                type,
                f,
                process < 0 ? Value.of("kill-one #1") : Value.of(7),
                value,
                process < 0 ? null : "n1",
                error,
                0,
                0);
    }

    private void history() throws IOException {
        List<HistoryEvent> events = new ArrayList<>();
        events.add(event(0, 0, Type.INVOKE, "write", Value.of(1), null));
        events.add(event(1, -1, Type.INVOKE, "inject", Value.of(Value.of("kill [n1]")), null));
        events.add(event(2, 0, Type.OK, "write", Value.of(1), null));
        events.add(event(3, -1, Type.OK, "inject", Value.of(Value.of("it is dead")), null));
        events.add(event(4, 1, Type.INVOKE, "read", Value.NIL, null));
        events.add(event(5, -1, Type.INVOKE, "heal", Value.of(), null));
        events.add(event(6, 1, Type.OK, "read", Value.NIL, null));
        events.add(event(7, 0, Type.INVOKE, "write", Value.of(2), null));
        events.add(event(8, 0, Type.INFO, "write", Value.of(2), "<script>alert(1)</script>"));
        events.add(event(9, -1, Type.OK, "heal", Value.of(Value.of("it answers")), null));
        HistoryWriter.write(
                folder.resolve("history.jsonl"),
                new History(
                        new HistoryHeader(1, "r", "register", "cas-register", List.of("n1"), 3),
                        events));
    }

    private String page() throws IOException {
        return Files.readString(ReportPage.write(folder));
    }

    private static JsonNode data(String page) throws IOException {
        Matcher matcher = Pattern.compile("id=\"data\">([A-Za-z0-9+/=]+)</script>").matcher(page);
        assertThat(matcher.find()).isTrue();
        byte[] packed = Base64.getDecoder().decode(matcher.group(1));
        return JsonMapper.shared()
                .readTree(new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes());
    }

    @Test
    void operationsFaultsNodesAndTheContradictionAreInThePage() throws IOException {
        history();
        Files.writeString(
                folder.resolve("test.json"),
                "{\"cluster\":\"docker\",\"nodes\":1,\"concurrency\":2,\"seed\":3}");
        Files.writeString(
                folder.resolve("results.json"),
                "{\"verdict\":\"violation\",\"linearizability\":\"violation\",\"operations\":3,"
                        + "\"explanation\":\"read 4 is stale\",\"counterexample\":["
                        + "\"       0        0.000 ms  process 0     invoke write\","
                        + "\"       4        4.000 ms  process 1     invoke read\","
                        + "\"       6        6.000 ms  process 1     ok     read\"]}");
        Path node = folder.resolve("nodes/n1");
        Files.createDirectories(node);
        Files.writeString(
                node.resolve("status.jsonl"),
                "{\"time\":0,\"utc\":1000,\"status\":{\"role\":\"follower\",\"term\":1}}\n"
                        + "{\"time\":5000000,\"utc\":1005,\"status\":null}\n{torn");
        Files.writeString(
                node.resolve("node.log"),
                "1970-01-01T00:00:01.002Z WARN  n1 something\n\tat a place\n");
        Files.writeString(
                node.resolve("clock.jsonl"), "{\"time\":3000000,\"offsetMillis\":-12.5}\n");
        String page = page();
        JsonNode data = data(page);
        assertThat(data.path("ops").path("t").toString()).isEqualTo("[0,4000,3000]");
        assertThat(data.path("ops").path("d").toString()).isEqualTo("[2000,2000,1000]");
        assertThat(data.path("ops").path("o").toString()).isEqualTo("[1,1,3]");
        assertThat(data.path("ops").path("v").toString()).isEqualTo("[1,null,2]");
        assertThat(data.path("accused").toString()).isEqualTo("[0,4]");
        JsonNode fault = data.path("faults").path(0);
        assertThat(fault.path("proven").asBoolean()).isTrue();
        assertThat(fault.path("from").asLong()).isEqualTo(3000);
        assertThat(fault.path("to").asLong()).isEqualTo(9000);
        JsonNode lane = data.path("nodes").path(0);
        assertThat(lane.path("roles").toString())
                .isEqualTo("[[0,\"follower\",1],[5000,\"down\",0]]");
        assertThat(lane.path("logs").toString())
                .isEqualTo("[[2000,1,\"something\"],[2000,1,\"\\tat a place\"]]");
        assertThat(lane.path("clock").toString()).isEqualTo("[[3000,-12.5]]");
        assertThat(page).contains("read 4 is stale").contains("1 lines of nodes/n1/status.jsonl");
    }

    @Test
    void whatIsInTheFilesStaysText() throws IOException {
        history();
        Files.writeString(
                folder.resolve("test.json"),
                "{\"repeat\":\"<img src=x onerror=alert(1)>\",\"image\":\"\\\"><script>x\"}");
        String page = page();
        assertThat(page)
                .doesNotContain("<script>alert")
                .doesNotContain("<img")
                .doesNotContain("\"><script>x")
                .contains("&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    @Test
    void nothingInThePageLeadsOutOfIt() throws IOException {
        history();
        String page = page();
        assertThat(page).contains("default-src 'none'");
        assertThat(Pattern.compile("(src|href)=\"(?!#)").matcher(page).results()).isEmpty();
        assertThat(page).doesNotContain("@import").doesNotContain("url(http");
    }

    @Test
    void aHalfWrittenFolderIsShownAsFarAsItGoes() throws IOException {
        Files.createDirectories(folder.resolve("nodes"));
        String nothing = page();
        assertThat(nothing)
                .contains("there is no history.jsonl")
                .contains("there is no results.json")
                .contains("This run has no results");
        history();
        String text = Files.readString(folder.resolve("history.jsonl"));
        Files.writeString(
                folder.resolve("history.jsonl"),
                text.substring(0, text.length() - 20).replace("\"schema\":1", "\"schema\":4"));
        Files.writeString(folder.resolve("results.json"), "{\"verdict\":\"valid\",");
        String half = page();
        assertThat(half)
                .contains("results.json cannot be read")
                .contains("the last line is cut off")
                .contains("it is of schema 4");
        assertThat(data(half).path("ops").path("t").size()).isEqualTo(3);
        Files.writeString(folder.resolve("history.jsonl"), "what is this");
        assertThat(page()).contains("the history cannot be read");
    }

    @Test
    void aStretchHoldsOnlyItsOperations() throws IOException {
        history();
        Path part = folder.resolve("part.html");
        ReportPage.write(folder, part, 4_000_000, 7_000_000);
        assertThat(data(Files.readString(part)).path("ops").path("t").size()).isEqualTo(1);
    }
}
