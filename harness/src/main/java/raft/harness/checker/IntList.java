package raft.harness.checker;

import java.util.Arrays;

/** A growing array of ints. */
final class IntList {
    private int[] items;
    private int length;

    IntList() {
        this(16);
    }

    IntList(int capacity) {
        items = new int[capacity];
    }

    void add(int item) {
        if (length == items.length) {
            items = Arrays.copyOf(items, length + (length >> 1) + 8);
        }
        items[length++] = item;
    }

    void insert(int index, int item) {
        add(item);
        System.arraycopy(items, index, items, index + 1, length - 1 - index);
        items[index] = item;
    }

    int at(int index) {
        return items[index];
    }

    void set(int index, int item) {
        items[index] = item;
    }

    int length() {
        return length;
    }

    void truncate(int newLength) {
        length = newLength;
    }

    void clear() {
        length = 0;
    }

    int[] toArray() {
        return Arrays.copyOf(items, length);
    }
}
