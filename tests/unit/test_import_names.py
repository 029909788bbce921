"""The closure of one file in a small tree of each language: what it needs is shown, what it does not need is hidden."""

import pytest

from analyzer.scopes.imports import closure

JAVA = {
    "pom.xml": "",
    "core/pom.xml": "",
    "core/src/main/java/org/shop/Cart.java": """package org.shop;
        import java.util.List;
        import org.shop.money.Price;
        import static org.shop.text.Words.plural;
        class Cart { Line first; List<Price> prices; }""",
    "core/src/main/java/org/shop/Line.java": "package org.shop; class Line {}",
    "core/src/main/java/org/shop/Unused.java": "package org.shop; class Unused {}",
    "core/src/main/java/org/shop/money/Price.java": "package org.shop.money; class Price {}",
    "core/src/main/java/org/shop/money/Tax.java": "package org.shop.money; class Tax {}",
    "core/src/main/java/org/shop/text/Words.java": "package org.shop.text; class Words {}",
    "core/src/test/java/org/shop/CartTest.java": "package org.shop;\nimport org.shop.fake.*;\nclass CartTest {}",
    "core/src/test/java/org/shop/fake/Clock.java": "package org.shop.fake; class Clock {}",
    "web/pom.xml": "",
    "web/src/main/java/org/shop/web/Page.java": "package org.shop.web; class Page {}",
}
KOTLIN = {
    "build.gradle.kts": "",
    "app/src/main/kotlin/net/Client.kt": "package io.net\nimport io.model.User as Person\nimport io.json.parse",
    "app/src/main/kotlin/net/Headers.kt": "package io.net\nfun headers() = 1",
    "app/src/main/kotlin/model/User.kt": "package io.model",
    "app/src/main/kotlin/other/Other.kt": "package io.other",
    "app/src/main/kotlin/io/json/Reading.kt": "package io.json",
    "app/src/main/kotlin/ui/Window.kt": "package io.ui",
}
RUBY = {
    "Gemfile": "",
    "lib/shop.rb": 'require "json"\nrequire "shop/cart"\nautoload :Tax, "shop/tax"',
    "lib/shop/cart.rb": 'require_relative "../money/price"\nmodule Shop\n  class Cart < HTTPStore; end\nend',
    "lib/shop/tax.rb": "",
    "lib/shop/unused.rb": "",
    "lib/money/price.rb": "",
    "app/models/http_store.rb": "class HTTPStore; include Billing::Rounded; end",
    "app/concerns/billing/rounded.rb": "",
    "app/models/idle.rb": "",
    "spec/shop_spec.rb": 'require "spec_helper"',
    "spec/spec_helper.rb": "",
}
ELIXIR = {
    "mix.exs": "",
    "lib/shop/cart.ex": "defmodule Shop.Cart do\n alias Shop.{Price, Store.Disk}\n ShopWeb.PageController.y()",
    "lib/shop/price.ex": "defmodule Shop.Price do\nend",
    "lib/shop/store/disk.ex": "defmodule Shop.Store.Disk do\n use GenServer\nend",
    "lib/shop/unused.ex": "",
    "lib/shop_web/controllers/page_controller.ex": "defmodule ShopWeb.PageController do end",
    "lib/shop_web/controllers/other_controller.ex": "",
    "test/shop/cart_test.exs": "defmodule Shop.CartTest do\n import Shop.Builders\nend",
    "test/support/shop/builders.ex": "",
}
GLEAM = {
    "gleam.toml": "",
    "src/shop/cart.gleam": "import gleam/list\nimport shop/price.{type Price} as p\nimport shop/clock",
    "src/shop/price.gleam": "",
    "src/shop/clock.gleam": '@external(erlang, "shop_ffi", "now")\n@external(javascript, "../shop_ffi.mjs", "now")',
    "src/shop_ffi.erl": "",
    "src/shop_ffi.mjs": "",
    "src/shop/unused.gleam": "",
    "test/shop/cart_test.gleam": "import shop/builders",
    "test/shop/builders.gleam": "",
}
C = {
    "CMakeLists.txt": "",
    "src/main.cpp": '#include <vector>\n#include "cart.h"\n#  include <shop/price.hpp>',
    "src/cart.h": '#pragma once\n#include "detail/line.h"',
    "src/cart.cpp": '#include "cart.h"',
    "src/detail/line.h": "",
    "include/shop/price.hpp": "",
    "src/price.cpp": '#include "shop/price.hpp"',
    "src/vector.h": "",
    "src/unused.cpp": "",
}
WORKSPACE = {
    "package.json": '{"name": "@acme/root"}',
    "tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"~lib/*": ["./packages/lib/source/*"]}}}',
    "packages/app/package.json": '{\n  "name": "@acme/app"\n}',
    "packages/app/src/main.ts": 'import a from "@acme/util"; import b from "~lib/b"\nimport "@acme/util/deep"',
    "packages/util/package.json": '{\n  "name": "@acme/util"\n}',
    "packages/util/src/index.ts": "",
    "packages/util/src/deep.ts": "",
    "packages/util/src/unused.ts": "",
    "packages/lib/source/b.ts": "import React from 'react'",
    "react.ts": "",
}
CARGO = {
    "Cargo.toml": "[workspace]\nmembers = ['crates/*']",
    "crates/app/Cargo.toml": '[package]\nname = "shop-app"\n',
    "crates/app/src/main.rs": "use shop_core::price::Price;\nuse serde::Deserialize;\nfn main() {}",
    "crates/core/Cargo.toml": '[package]\nversion = "1.0.0"\nname = "shop-core"\n',
    "crates/core/src/lib.rs": "pub mod price;",
    "crates/core/src/price.rs": "",
    "crates/core/src/unused.rs": "",
    "crates/idle/Cargo.toml": '[package]\nname = "shop-idle"\n',
    "crates/idle/src/lib.rs": "",
}


@pytest.mark.parametrize(
    ("tree", "start", "hidden"),
    [
        (JAVA, "core/src/main/java/org/shop/Cart.java", {"Unused.java", "Tax.java", "Page.java", "web/pom.xml"}),
        (KOTLIN, "app/src/main/kotlin/net/Client.kt", {"Other.kt", "Window.kt"}),
        (RUBY, "lib/shop.rb", {"unused.rb", "idle.rb"}),
        (ELIXIR, "lib/shop/cart.ex", {"unused.ex", "other_controller.ex"}),
        (GLEAM, "src/shop/cart.gleam", {"unused.gleam"}),
        (C, "src/main.cpp", {"src/vector.h", "unused.cpp"}),
        (WORKSPACE, "packages/app/src/main.ts", {"unused.ts"}),
        (CARGO, "crates/app/src/main.rs", {"unused.rs", "idle/Cargo.toml", "idle/src/lib.rs"}),
    ],
    ids=["java", "kotlin", "ruby", "elixir", "gleam", "c", "npm workspace", "cargo workspace"],
)
def test_the_closure_shows_what_a_file_needs_and_hides_the_rest(tree, start, hidden):
    shown = closure([start], tree.get, list(tree))
    assert set(tree) - shown == {path for path in tree if path.endswith(tuple(hidden))}
