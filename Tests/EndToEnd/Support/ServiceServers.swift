import Foundation
import TerminalTestKit

/// Real servers of services on the host's loopback, written with libraries of PyPI: SOAP by spyne, OpenAPI by FastAPI.
struct ServiceServers {
    let soap: Int
    let rest: Int
    /// SOAP again, its WSDL in parts that import each other.
    let parts: Int

    private static let soapProgram = """
        import sys
        from wsgiref.simple_server import make_server
        from spyne import Application, Array, Boolean, ComplexModel, Double, Fault, Integer, Iterable, ServiceBase, Unicode, rpc
        from spyne.protocol.soap import Soap11
        from spyne.server.wsgi import WsgiApplication

        class Item(ComplexModel):
            __namespace__ = "harbour.stock"
            name = Unicode(min_occurs=1, nillable=False)
            count = Integer(min_occurs=1, nillable=False)
            price = Double

        class Order(ComplexModel):
            __namespace__ = "harbour.stock"
            customer = Unicode(min_occurs=1, nillable=False)
            items = Array(Item, min_occurs=1, nillable=False)
            express = Boolean

        class Stock(ServiceBase):
            @rpc(Unicode, Integer, _returns=Iterable(Unicode))
            def greet(ctx, name, times):
                "Greets somebody some times."
                for _ in range(times):
                    yield "Hello, " + name

            @rpc(Order, _returns=Double)
            def total(ctx, order):
                return sum(item.count * item.price for item in order.items)

            @rpc(Unicode, _returns=Order)
            def order_of(ctx, customer):
                return Order(customer=customer, items=[Item(name="rope", count=3, price=1.5)], express=True)

            @rpc(_returns=Unicode)
            def broken(ctx):
                raise Fault("Server.Broken", "the crane is broken")

        application = Application(
            [Stock], "harbour.stock", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
        make_server("127.0.0.1", int(sys.argv[1]), WsgiApplication(application)).serve_forever()
        """

    /// What spyne publishes, as servers of other makes publish theirs: bindings in a WSDL of their own, each namespace's
    /// schema at a URL of its own, and the two schemas importing each other.
    private static let partsProgram = """
        import sys
        from urllib.parse import parse_qs
        from wsgiref.simple_server import make_server
        from lxml import etree
        from spyne import Application, Array, ComplexModel, Double, Integer, ServiceBase, Unicode, rpc
        from spyne.interface.wsdl import Wsdl11
        from spyne.protocol.soap import Soap11
        from spyne.server.wsgi import WsgiApplication

        WSDL, XSD = "{http://schemas.xmlsoap.org/wsdl/}", "{http://www.w3.org/2001/XMLSchema}"

        class Crate(ComplexModel):
            __namespace__ = "harbour.cargo"
            label = Unicode(min_occurs=1, nillable=False)
            weight = Double(min_occurs=1, nillable=False)

        class Cargo(ServiceBase):
            @rpc(Integer(min_occurs=1, nillable=False), Array(Crate, min_occurs=1, nillable=False), _returns=Double)
            def load(ctx, ship, crates):
                return ship + sum(crate.weight for crate in crates)

            @rpc(Unicode, _returns=Crate)
            def heaviest(ctx, ship):
                return Crate(label="anchor of " + ship, weight=950.5)

        application = Application(
            [Cargo], "harbour.loading", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11())
        service = WsgiApplication(application)
        origin = "http://127.0.0.1:" + sys.argv[1]
        wsdl = Wsdl11(application.interface)
        wsdl.build_interface_document(origin + "/")
        root = etree.fromstring(wsdl.get_interface_document())
        types = root.find(WSDL + "types")
        schemas = {schema.get("targetNamespace"): schema for schema in types}
        assert len(schemas) == 2, schemas
        for schema in schemas.values():
            links = schema.findall(XSD + "import")
            have = {link.get("namespace") for link in links}
            for namespace in set(schemas) - have - {schema.get("targetNamespace")}:
                links.append(etree.Element(XSD + "import", namespace=namespace))
                schema.insert(0, links[-1])
            for link in links:
                link.set("schemaLocation", "/schemas/" + link.get("namespace") + ".xsd")
        documents = {"/schemas/" + name + ".xsd": etree.tostring(schema) for name, schema in schemas.items()}
        for schema in list(types):
            types.remove(schema)
        holder = etree.SubElement(types, XSD + "schema")
        for name in schemas:
            etree.SubElement(holder, XSD + "import", namespace=name, schemaLocation="schemas/" + name + ".xsd")
        etree.SubElement(
            holder, XSD + "import", namespace="urn:elsewhere", schemaLocation="http://elsewhere.invalid/a.xsd")
        outer = etree.Element(root.tag, root.attrib, nsmap=root.nsmap)
        etree.SubElement(outer, WSDL + "import", namespace="harbour.loading", location="?part=abstract")
        outer.append(root.find(WSDL + "service"))
        documents["abstract"], documents["wsdl"] = etree.tostring(root), etree.tostring(outer)

        def serve(environment, start):
            query = environment["QUERY_STRING"]
            name = parse_qs(query).get("part", [""])[0] or ("wsdl" if query == "wsdl" else environment["PATH_INFO"])
            if environment["REQUEST_METHOD"] == "GET" and name in documents:
                start("200 OK", [("Content-Type", "text/xml")])
                return [documents[name]]
            return service(environment, start)

        make_server("127.0.0.1", int(sys.argv[1]), serve).serve_forever()
        """

    private static let restProgram = """
        import sys
        import uvicorn
        from fastapi import FastAPI, HTTPException
        from pydantic import BaseModel

        class Berth(BaseModel):
            quay: str
            free: bool = False

        class Ship(BaseModel):
            name: str
            length: float
            berth: Berth | None = None

        app = FastAPI(title="Ships", description="Who lies where.")
        ships = {7: Ship(name="Ida", length=12.5)}

        @app.get("/ships/{number}", operation_id="get_ship", summary="One ship.")
        def get_ship(number: int, loud: bool = False) -> Ship:
            if number not in ships:
                raise HTTPException(404, "no such ship")
            ship = ships[number]
            return Ship(name=ship.name.upper(), length=ship.length, berth=ship.berth) if loud else ship

        @app.put("/ships/{number}", operation_id="put_ship")
        def put_ship(number: int, ship: Ship) -> dict:
            ships[number] = ship
            return {"ships": len(ships)}

        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
        """

    /// They belong to a test's world and end with it.
    static func start(in lab: LabEnvironment) async throws -> ServiceServers {
        guard let python = ProcessInfo.processInfo.environment["SERVICES_PYTHON"] else {
            throw LabEnvironment.Failure(
                description: "SERVICES_PYTHON does not name a Python with spyne and fastapi: run the tests by .ci/test")
        }
        return ServiceServers(
            soap: try await start("soap", soapProgram, python, in: lab),
            rest: try await start("rest", restProgram, python, in: lab),
            parts: try await start("parts", partsProgram, python, in: lab))
    }

    private static func start(
        _ name: String, _ program: String, _ python: String, in lab: LabEnvironment
    ) async throws -> Int {
        let file = "\(lab.directory)/\(name).py"
        try program.write(toFile: file, atomically: true, encoding: .utf8)
        let port = try WebServer.freePort()
        let log = "\(lab.directory)/\(name).log"
        let child = try Child(python, [file, "\(port)"], variables: lab.variables, output: log, errors: log)
        try await eventually("the \(name) server on port \(port)", seconds: 60) {
            if !child.isRunning {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw LabEnvironment.Failure(description: "the \(name) server ended: \(text.suffix(1000))")
            }
            return WebServer.connects(port)
        }
        return port
    }
}
