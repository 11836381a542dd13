package raft.shell.view;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Cells in columns. Where the whole is wider than the terminal, the columns that matter least are
 * left out, and which is said below.
 */
public final class Table {
    private record Column(String title, boolean right, int worth) {}

    /**
     * @param paint puts colour around the padded text
     */
    private record Cell(String text, UnaryOperator<String> paint) {}

    private static final int SAYS_SOMETHING = 50;

    private final List<Column> columns = new ArrayList<>();
    private final List<List<Cell>> rows = new ArrayList<>();
    private List<Cell> row = new ArrayList<>();

    /**
     * @param worth those of least worth go first when it gets narrow
     */
    public Table column(String title, boolean right, int worth) {
        columns.add(new Column(title, right, worth));
        return this;
    }

    public Table cell(String text, UnaryOperator<String> paint) {
        row.add(new Cell(text, paint));
        if (row.size() == columns.size()) {
            rows.add(row);
            row = new ArrayList<>();
        }
        return this;
    }

    public Table cell(String text) {
        return cell(text, UnaryOperator.identity());
    }

    /** The lines, none wider than {@code width} as long as one column is left. */
    public List<String> lines(int width, Paint paint) {
        List<Integer> shown = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            shown.add(i);
        }
        // A column in which nobody has anything to say.
        shown.removeIf(i -> columns.get(i).worth < SAYS_SOMETHING && isEmpty(i));
        List<String> left = new ArrayList<>();
        while (shown.size() > 1 && width(shown) > width) {
            int least = shown.getFirst();
            for (int i : shown) {
                if (columns.get(i).worth <= columns.get(least).worth) {
                    least = i;
                }
            }
            left.addFirst(columns.get(least).title);
            shown.remove(Integer.valueOf(least));
        }
        List<String> lines = new ArrayList<>();
        lines.add(
                paint.strong(
                        shown.stream()
                                .map(i -> pad(i, columns.get(i).title))
                                .collect(Collectors.joining("  "))
                                .stripTrailing()));
        for (List<Cell> cells : rows) {
            lines.add(
                    shown.stream()
                            .map(i -> cells.get(i).paint.apply(pad(i, cells.get(i).text)))
                            .collect(Collectors.joining("  "))
                            .stripTrailing());
        }
        if (!left.isEmpty()) {
            String note = "(too narrow for " + String.join(", ", left) + ")";
            lines.add(paint.dim(note.length() <= width ? note : "(narrow)"));
        }
        return lines;
    }

    private boolean isEmpty(int column) {
        return rows.stream().allMatch(cells -> cells.get(column).text.equals("-"));
    }

    private int width(List<Integer> shown) {
        return shown.stream().mapToInt(this::width).sum() + 2 * (shown.size() - 1);
    }

    private int width(int column) {
        int width = columns.get(column).title.length();
        for (List<Cell> cells : rows) {
            width = Math.max(width, cells.get(column).text.length());
        }
        return width;
    }

    private String pad(int column, String text) {
        String gap = " ".repeat(Math.max(0, width(column) - text.length()));
        return columns.get(column).right ? gap + text : text + gap;
    }
}
