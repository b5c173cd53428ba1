/// A WSDL as document/literal servers write it: nested types, arrays with wrappers, a fault, one operation without words.
enum StockWSDL {
    static let text = """
        <?xml version="1.0"?>
        <w:definitions xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
          xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="harbour" targetNamespace="harbour">
        <w:documentation>What lies in
           the sheds.</w:documentation>
        <w:types><xs:schema targetNamespace="harbour" elementFormDefault="qualified">
          <xs:simpleType name="Shed"><xs:restriction base="xs:string">
            <xs:enumeration value="north"/><xs:enumeration value="south"/></xs:restriction></xs:simpleType>
          <xs:complexType name="Item"><xs:sequence>
            <xs:element name="name" type="xs:string"/><xs:element name="count" type="xs:int"/>
            <xs:element name="price" type="xs:double" minOccurs="0"/></xs:sequence>
            <xs:attribute name="shed" type="tns:Shed" use="required"/></xs:complexType>
          <xs:complexType name="ItemArray"><xs:sequence>
            <xs:element name="Item" type="tns:Item" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
          <xs:complexType name="Order"><xs:sequence>
            <xs:element name="customer" type="xs:string"/><xs:element name="items" type="tns:ItemArray"/>
            <xs:element name="parent" type="tns:Order" minOccurs="0"/></xs:sequence></xs:complexType>
          <xs:complexType name="ExpressOrder"><xs:complexContent><xs:extension base="tns:Order"><xs:sequence>
            <xs:element name="until" type="xs:dateTime"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
          <xs:element name="total"><xs:complexType><xs:sequence>
            <xs:element name="order" type="tns:ExpressOrder"/><xs:element name="taxed" type="xs:boolean" minOccurs="0"/>
            </xs:sequence></xs:complexType></xs:element>
          <xs:element name="totalResponse"><xs:complexType><xs:sequence>
            <xs:element name="sum" type="xs:double"/><xs:element name="items" type="tns:ItemArray" minOccurs="0"/>
            </xs:sequence></xs:complexType></xs:element>
          <xs:element name="ping"><xs:complexType/></xs:element>
          <xs:element name="pingResponse" type="xs:int"/>
        </xs:schema></w:types>
        <w:message name="totalIn"><w:part name="parameters" element="tns:total"/></w:message>
        <w:message name="totalOut"><w:part name="parameters" element="tns:totalResponse"/></w:message>
        <w:message name="pingIn"><w:part name="parameters" element="tns:ping"/></w:message>
        <w:message name="pingOut"><w:part name="parameters" element="tns:pingResponse"/></w:message>
        <w:portType name="Stock">
          <w:operation name="total"><w:documentation>Sums up.</w:documentation>
            <w:input message="tns:totalIn"/><w:output message="tns:totalOut"/></w:operation>
          <w:operation name="ping"><w:input message="tns:pingIn"/><w:output message="tns:pingOut"/></w:operation>
        </w:portType>
        <w:binding name="B" type="tns:Stock"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
          <w:operation name="total"><s:operation soapAction="urn:total"/>
            <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
          <w:operation name="ping"><s:operation soapAction=""/>
            <w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>
        </w:binding>
        <w:service name="StockService"><w:port name="P" binding="tns:B"><s:address location="http://sheds:8000/stock/"/></w:port>
        </w:service></w:definitions>
        """

    /// The same service in RPC style.
    static let rpc = """
        <definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
          xmlns:s="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:tns="urn:rpc" targetNamespace="urn:rpc">
        <message name="addIn"><part name="a" type="xs:int"/><part name="b" type="xs:int"/></message>
        <message name="addOut"><part name="result" type="xs:int"/></message>
        <portType name="T"><operation name="add"><input message="tns:addIn"/><output message="tns:addOut"/></operation></portType>
        <binding name="B" type="tns:T"><s:binding style="rpc"/><operation name="add"><s:operation soapAction="urn:add"/>
        <input><s:body use="literal" namespace="urn:sums"/></input><output><s:body use="literal" namespace="urn:sums"/></output>
        </operation></binding>
        <service name="S"><port name="P" binding="tns:B"><s:address location="http://h/"/></port></service></definitions>
        """
}
